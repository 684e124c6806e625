#include "torrent/tracker/http_tracker.h"

#include "torrent/error.h"
#include "torrent/settings.h"
#include "torrent/tracker/http_messages.h"
#include "torrent/tracker/tracker_text.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

HttpClient::Request make_request(Url url, std::optional<bool> want_v6, bool trusted) {
    return {.url = std::move(url),
            .max_body_bytes = limit::kTrackerReplyBytes,
            .time = limit::kTrackerTime,
            .trusted = trusted,
            .want_v6 = want_v6};
}

}  // namespace

asio::awaitable<AnnounceResult> http_announce(HttpClient& http, Url tracker, AnnounceRequest request,
                                              std::optional<bool> want_v6, bool trusted) {
    auto question = make_request(announce_url(tracker, request), want_v6, trusted);
    AnnounceFailure failure;
    try {
        auto const response = co_await http.get(std::move(question));
        auto reply = parse_announce_reply(response.status, response.body);
        if (reply) reply->from = response.from;
        co_return reply;
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        failure.what = tracker_text(sentence(e));  // parts of it may be the tracker's own words
        failure.reached = e.code().category() == torrent_category();
    }
    co_return failure;
}

asio::awaitable<ScrapeReply> http_scrape(HttpClient& http, Url tracker, InfoHash info_hash, bool trusted) {
    ScrapeReply reply;
    auto url = scrape_url(tracker, info_hash);
    if (!url) {
        reply.failure = url.error().what;
        co_return reply;
    }
    auto question = make_request(std::move(*url), std::nullopt, trusted);
    try {
        auto const response = co_await http.get(std::move(question));
        co_return parse_scrape_reply(response.status, response.body, info_hash);
    } catch (boost::system::system_error const& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        reply.failure = tracker_text(sentence(e));  // parts of it may be the tracker's own words
    }
    co_return reply;
}

}  // namespace rqfs::torrent
