// The compiled parts of Asio and Beast, which would otherwise be compiled with every source that includes them.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
