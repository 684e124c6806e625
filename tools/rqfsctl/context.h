#pragma once

#include "tools/rqfsctl/client.h"
#include "tools/rqfsctl/command_line.h"

#include <boost/json/value.hpp>

#include <ostream>
#include <string>

namespace rqfs::tools {

// What every command of rqfsctl works with.
struct Context {
    Arguments const& arguments;
    Client& client;
    std::ostream& out;
    std::ostream& err;
    bool out_is_terminal = false;
    bool err_is_terminal = false;  // progress is shown there
};

// T for the daemon: a path inside the mount becomes the info-hash its xattr tells, anything else stays.
std::string torrent_text(std::string const& text);
// "/v1/torrents/T" of the same.
std::string torrent_target(std::string const& text);

// "`rqfsctl COMMAND T`" of the first torrent, as it can be typed.
std::string command_on(Context const& context, std::string const& command);

// The one document of --json.
void print_document(Context& context, boost::json::value const& document);

// A text as it goes to this output: a terminal gets no control characters, a program gets every byte.
std::string for_output(Context const& context, std::string const& text);

}  // namespace rqfs::tools
