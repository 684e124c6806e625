#pragma once

#include "cache/state_db_sql.h"

#include <string>

namespace rqfs::cache {

// The tables of the database: made in an empty one.
void create_tables(Sql& sql);
// Whether the tables are exactly those of create_tables().
bool has_our_tables(Sql& sql);

// Copies every row that can be read from the damaged database at PATH into a new one and puts that in its place; the old one stays as
// PATH.damaged (one is kept). Until the new one is complete nothing is replaced. Blocks. Throws system_error when it cannot be written.
void rescue_database(std::string const& path);
// Puts a new one in its place that was complete when the process died.
void finish_rescue(std::string const& path);

}  // namespace rqfs::cache
