#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace rqfs::tools {

// A JSON document on one line. Numbers are plain decimals, never with an exponent, so that a shell can compare them; a fraction is as
// long as it must be to be read back as the same number. No infinity: JSON has none.
std::string json_text(boost::json::value const& document);

}  // namespace rqfs::tools
