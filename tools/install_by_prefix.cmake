# Run by cmake --install: what depends on the prefix. Given: source, binary, bin_directory, data_directory, CMAKE_INSTALL_PREFIX.
# file(INSTALL) puts DESTDIR before an absolute destination.

# zsh of Debian looks for packages' completions in vendor-completions below /usr, and for the administrator's in site-functions below
# /usr/local; other prefixes are the administrator's as well.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(zsh vendor-completions)
else()
  set(zsh site-functions)
endif()
file(INSTALL "${source}/rqfsctl/completions/_rqfsctl" DESTINATION "${CMAKE_INSTALL_PREFIX}/${data_directory}/zsh/${zsh}")

# User units are looked for below the prefix's own lib, whatever the library directory is called.
set(program "${CMAKE_INSTALL_PREFIX}/${bin_directory}/rqfs")
configure_file("${source}/rqfs/rqfs.service.in" "${binary}/rqfs.service" @ONLY)
file(INSTALL "${binary}/rqfs.service" DESTINATION "${CMAKE_INSTALL_PREFIX}/lib/systemd/user")
