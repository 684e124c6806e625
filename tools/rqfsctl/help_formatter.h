#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace rqfs::tools {

// The help of rqfsctl: the usage line says what may be given and what must be, so that the lists below need none
// of CLI11's words for types and counts.
class HelpFormatter final : public CLI::Formatter {
public:
    HelpFormatter() {
        label("Positionals", "Arguments");
        label("SUBCOMMAND", "COMMAND");
    }

    std::string make_option_opts(CLI::Option const* option) const override {
        bool const takes_value = option->nonpositional() && option->get_type_size() != 0;
        return takes_value ? " " + option->get_type_name() : std::string();
    }

    std::string make_option_usage(CLI::Option const* argument) const override {
        auto text = make_option_name(argument, true);
        if (argument->get_expected_max() >= CLI::detail::expected_max_vector_size) text += "...";
        return argument->get_required() ? text : "[" + text + "]";
    }
};

}  // namespace rqfs::tools
