#include "torrent/net/dns_resolver.h"

#include "torrent/error.h"
#include "torrent/event.h"
#include "torrent/limits.h"
#include "torrent/net/dns_lookup.h"
#include "torrent/net/lingering_sockets.h"
#include "torrent/timeout.h"
#include "torrent/workers.h"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <ares.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;
using boost::system::system_error;

namespace {

constexpr std::size_t kLookupsAtOnce = 64;            // above the announces at once, so that only a dead DNS meets it
constexpr std::chrono::seconds kLookupTime{15};       // each of two dead servers has been asked twice by then
constexpr std::chrono::milliseconds kLookAgain{250};  // whether the interface is back

struct Count {
    std::size_t& running;
    explicit Count(std::size_t& counted) : running(counted) { ++running; }
    Count(Count const&) = delete;
    Count& operator=(Count const&) = delete;
    ~Count() { --running; }
};

struct InUse {
    bool& flag;
    Event& free;
    InUse(bool& used, Event& freed) : flag(used), free(freed) { flag = true; }
    InUse(InUse const&) = delete;
    InUse& operator=(InUse const&) = delete;
    ~InUse() {
        flag = false;
        free.notify();
    }
};

// Letters, digits, hyphens and underscores (RFC 1035, and what is in use); at most 253 characters.
bool is_host_name(std::string_view host) {
    constexpr std::size_t most = 253;
    return !host.empty() && host.size() <= most && std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    });
}

}  // namespace

Result<Endpoint> parse_name_server(std::string_view text) {
    if (auto const endpoint = Endpoint::parse(text)) return *endpoint;
    auto const address = Address::parse(text);
    if (!address) return address.error();
    return Endpoint{*address, 53};
}

DnsResolver::DnsResolver(Clock& clock) : DnsResolver(clock, DnsOptions()) {}

DnsResolver::DnsResolver(Clock& clock, DnsOptions options) : DnsResolver(clock, nullptr, std::move(options)) {}

DnsResolver::DnsResolver(Clock& clock, Workers& workers, DnsOptions options)
    : DnsResolver(clock, &workers, std::move(options)) {}

DnsResolver::DnsResolver(Clock& clock, Workers* workers, DnsOptions options)
    : clock_(clock), options_(std::move(options)), workers_(workers) {
    if (!options_.binding.none()) lingering_ = std::make_shared<LingeringSockets>(limit::kLingeringLookups);
    if (int const code = ares_library_init(ARES_LIB_INIT_ALL); code != ARES_SUCCESS)
        throw_error(Errc::io, std::string("c-ares cannot be used: ") + ares_strerror(code));
}

DnsResolver::~DnsResolver() { ares_library_cleanup(); }

asio::awaitable<std::vector<Address>> DnsResolver::resolve(std::string host) {
    if (auto const literal = Address::parse(host)) co_return std::vector<Address>(1, *literal);
    if (auto found = co_await find_in_list(host); !found.empty()) co_return found;
    if (!is_host_name(host)) throw system_error(asio::error::host_not_found, "the name " + host + " is not known");
    if (running_ >= kLookupsAtOnce)
        throw system_error(asio::error::host_not_found_try_again, "too many names are being looked up to find " + host);
    Count const count(running_);
    auto const name = host;
    try {
        auto looking = look_up(std::move(host));
        co_return co_await with_timeout(clock_, std::move(looking), kLookupTime, std::string());
    } catch (system_error const& e) {
        if (e.code() != make_error_code(Errc::timed_out)) throw;
    }
    auto const& binding = options_.binding;
    throw system_error(asio::error::host_not_found_try_again,
                       !binding.none() && binding.now().index == 0
                           ? "the name " + name + " cannot be looked up: " + binding.text() + " is not there"
                           : "no name server answers for " + name);
}

asio::awaitable<std::vector<Address>> DnsResolver::find_in_list(std::string host) {
    if (workers_ == nullptr) {
        auto found = HostsFile::find(options_.hosts, hosts_, host);
        hosts_ = std::move(found.file);
        co_return std::move(found.addresses);
    }
    auto const executor = co_await asio::this_coro::executor;
    if (!list_free_) list_free_ = std::make_unique<Event>(executor);
    while (list_in_use_) co_await list_free_->wait();
    InUse const in_use(list_in_use_, *list_free_);
    auto found = co_await workers_->run(Workers::Lane::disk, &HostsFile::find, options_.hosts, hosts_, host);
    hosts_ = std::move(found.file);
    co_return std::move(found.addresses);
}

asio::awaitable<std::vector<Address>> DnsResolver::look_up(std::string host) {
    co_await wait_for_interface();
    if (auto const why = problem(); !why.empty()) throw system_error(asio::error::host_not_found_try_again, why);
    auto const executor = co_await asio::this_coro::executor;
    DnsLookup lookup(executor, clock_, options_, lingering_);
    auto asking = lookup.ask(host);
    co_return co_await std::move(asking);
}

asio::awaitable<void> DnsResolver::wait_for_interface() {
    while (!options_.binding.none() && options_.binding.now().index == 0) co_await clock_.sleep(kLookAgain);
}

std::string DnsResolver::problem() const { return why_no_server(options_); }

}  // namespace rqfs::torrent
