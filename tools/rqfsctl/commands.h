#pragma once

#include "tools/rqfsctl/context.h"

namespace rqfs::tools {

// The commands of rqfsctl, by family. Each gives the exit status or throws Failure.

int run_add(Context& context);       // add
int run_show(Context& context);      // list status files peers path magnet
int run_trackers(Context& context);  // trackers
int run_announce(Context& context);  // announce
int run_stats(Context& context);     // stats
int run_dht(Context& context);       // dht
int run_why(Context& context);       // why
int run_change(Context& context);    // download pause resume remove verify connect limit log stop

// The family of a command that command_line knows.
int run_command(Context& context);

}  // namespace rqfs::tools
