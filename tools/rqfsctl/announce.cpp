#include "tools/control/protocol.h"
#include "tools/control/text.h"
#include "tools/rqfsctl/commands.h"
#include "tools/rqfsctl/failure.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rqfs::tools {

namespace json = boost::json;

namespace {

constexpr std::chrono::milliseconds kPoll{200};
constexpr std::uint32_t kTimeoutSeconds = 15;  // what a UDP tracker is given before it is asked again (BEP 15)

std::string begun(torrent::AskedTrackers const& asked) {
    auto const count = asked.asked.size();
    if (count == 0) return "Searching the DHT.";
    auto const whom = count == 1 ? asked.asked.front() : std::to_string(count) + " trackers";
    return "Announcing to " + whom + (asked.dht ? ", searching the DHT." : ".");
}

std::string outcome_text(torrent::TrackerStatus const& tracker) {
    if (tracker.state == "failed") return tracker.url + ": failed: " + tracker.message;
    if (tracker.state != "working") return tracker.url + ": not asked";  // the torrent was paused meanwhile
    auto text =
        tracker.url + ": accepted, " + std::to_string(tracker.peers) + (tracker.peers == 1 ? " peer" : " peers");
    if (!tracker.message.empty()) text += "; it says: " + tracker.message;
    for (auto const& family : tracker.families)
        if (family.state == "failed")
            text += std::string("; over ") + (family.v6 ? "IPv6: " : "IPv4: ") + family.message;
    return text;
}

// Those trackers that were asked, until each has been told of.
class Outcomes {
public:
    Outcomes(Context& context, std::vector<std::string> const& asked)
        : context_(context), pending_(asked.begin(), asked.end()) {}

    bool all_told() const { return pending_.empty(); }
    bool any_accepted() const { return accepted_; }
    std::set<std::string> const& pending() const { return pending_; }

    void look(json::value const& document) {
        auto const* const object = document.if_object();
        auto const* const list = object == nullptr ? nullptr : object->if_contains("trackers");
        if (list == nullptr || !list->is_array())
            throw Failure("the daemon's answer is malformed: it lacks \"trackers\"");
        std::set<std::string> left;  // whoever the user takes out meanwhile is waited for no more
        for (auto const& element : list->get_array()) {
            auto const tracker = tracker_from_json(element);
            if (!tracker) throw Failure("the daemon's answer is malformed: " + tracker.error().what);
            if (!pending_.contains(tracker->url)) continue;
            if (tracker->state == "announcing")
                left.insert(tracker->url);
            else
                tell(*tracker);
        }
        pending_ = std::move(left);
    }

private:
    void tell(torrent::TrackerStatus const& tracker) {
        accepted_ = accepted_ || tracker.state == "working";
        context_.out << for_output(context_, outcome_text(tracker)) << std::endl;
    }

    Context& context_;
    std::set<std::string> pending_;
    bool accepted_ = false;
};

int wait_for_trackers(Context& context, std::string const& target, std::vector<std::string> const& asked) {
    auto const seconds = context.arguments.timeout.value_or(kTimeoutSeconds);
    auto const where = command_on(context, "trackers");
    if (seconds == 0) {
        context.out << where << " shows what comes of it.\n";
        return kExitDone;
    }
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    Outcomes outcomes(context, asked);
    for (;;) {
        outcomes.look(context.client.get(target + "/trackers"));
        if (outcomes.all_told() || std::chrono::steady_clock::now() >= until) break;
        std::this_thread::sleep_for(kPoll);
    }
    for (auto const& url : outcomes.pending()) context.out << for_output(context, url) << ": no answer yet\n";
    if (!outcomes.all_told()) context.out << where << " shows what comes of it.\n";
    if (outcomes.any_accepted()) return kExitDone;
    throw Failure(outcomes.all_told()
                      ? "no tracker has accepted the announce"
                      : "no tracker has accepted the announce within " + std::to_string(seconds) + " s");
}

}  // namespace

int run_announce(Context& context) {
    json::object body;
    if (!context.arguments.tracker.empty()) body["tracker"] = to_utf8(context.arguments.tracker);
    auto const target = torrent_target(context.arguments.torrents.front());
    auto const document = context.client.post(target + "/announce", body);
    auto const asked = asked_from_json(document);
    if (!asked) throw Failure("the daemon's answer is malformed: " + asked.error().what);
    for (auto const& sentence : asked->refused) context.err << "rqfsctl: " << printable(sentence) << '\n';
    if (context.arguments.json) {
        print_document(context, document);
        return kExitDone;
    }
    context.out << for_output(context, begun(*asked)) << std::endl;
    return asked->asked.empty() ? kExitDone : wait_for_trackers(context, target, asked->asked);
}

}  // namespace rqfs::tools
