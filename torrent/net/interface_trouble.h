#pragma once

#include <string>

namespace rqfs::torrent {

class InterfaceBinding;

// What keeps an interface from being used; `none`: nothing any more.
enum class InterfaceTrouble { none, missing, down, without_address };

// Of the interface bound to, as the kernel says; one that is named by its address is missing where no interface that is
// up has it. Does not wait.
InterfaceTrouble interface_trouble(InterfaceBinding const& binding);

// For the user: what is wrong and what to do about it, without a full stop. Never empty. Pure.
std::string interface_trouble_text(InterfaceBinding const& binding, InterfaceTrouble trouble);

}  // namespace rqfs::torrent
