#include "tools/control/protocol.h"
#include "tools/control/quantity.h"
#include "tools/control/statistics_reply.h"
#include "tools/rqfsctl/commands.h"
#include "tools/rqfsctl/failure.h"
#include "tools/rqfsctl/table.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

namespace rqfs::tools {

using Align = Table::Align;

namespace {

// "310 ms", "2.5 s", "12 min": as much as tells waits apart.
std::string wait_text(double in_seconds) {
    constexpr double most = 1e9;
    if (!(in_seconds >= 0) || in_seconds > most) return "-";
    if (in_seconds < 0.9995) return std::to_string(std::lround(in_seconds * 1000)) + " ms";
    if (in_seconds >= 60) return format_duration(std::chrono::seconds(std::llround(in_seconds)));
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%.1f s", in_seconds);
    return text.data();
}

std::string wait_cell(std::optional<double> in_seconds) { return in_seconds ? wait_text(*in_seconds) : "-"; }

void show_waits(Context& context, StatisticsReply const& reply) {
    Table table(
        {{"WAITS"}, {"COUNT", Align::right}, {"P50", Align::right}, {"P95", Align::right}, {"SUM", Align::right}});
    auto const add = [&table](std::string name, HistogramReply const& waits) {
        table.add({std::move(name), std::to_string(waits.count), wait_cell(waits.p50_seconds),
                   wait_cell(waits.p95_seconds), waits.count == 0 ? "-" : wait_text(waits.sum_seconds)});
    };
    add("open to first byte", reply.open_to_first_byte);
    add("seek to first byte", reply.seek_to_first_byte);
    add("stalled", reply.stalled);
    table.print(context.out);
}

void show_bytes(Context& context, StatisticsReply const& reply) {
    auto const& received = reply.received;
    auto const all = static_cast<double>(received.wanted) + static_cast<double>(received.duplicate) +
                     static_cast<double>(received.late);
    Table table({{"RECEIVED"}, {"SIZE", Align::right}, {"SHARE", Align::right}});
    auto const add = [&table, all](std::string name, std::uint64_t bytes) {
        table.add({std::move(name), format_size(bytes),
                   all > 0 ? format_percent(static_cast<double>(bytes) / all) : std::string("-")});
    };
    add("wanted", received.wanted);
    add("duplicate", received.duplicate);
    add("late", received.late);
    add("failed hash", received.failed_hash);
    add("dropped", received.dropped);
    add("unread read-ahead", reply.unread_read_ahead_bytes);
    table.print(context.out);
}

void show_memory(Context& context, StatisticsReply const& reply) {
    Table table({{"MEMORY"}, {"SIZE", Align::right}});
    table.add({"indexes of open films", format_size(reply.kept_index_bytes)});
    table.print(context.out);
}

}  // namespace

int run_stats(Context& context) {
    auto const document = context.client.get("/v1/stats");
    if (context.arguments.json) {
        print_document(context, document);
        return kExitDone;
    }
    auto const reply = statistics_from_json(document);
    if (!reply) throw Failure("the daemon's answer is malformed: " + reply.error().what);
    show_waits(context, *reply);
    context.out << '\n';
    show_bytes(context, *reply);
    context.out << '\n';
    show_memory(context, *reply);
    return kExitDone;
}

}  // namespace rqfs::tools
