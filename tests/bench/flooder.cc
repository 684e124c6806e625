// Sends UDP datagrams at a steady rate from many addresses of 127.0.0.0/8 and counts what comes back.
//   flooder ADDRESS PORT PACKETS_PER_SECOND garbage|queries ADDRESSES
// until it gets SIGTERM; then prints {"sent":, "seconds":, "bytes_out":, "answers":, "bytes_in":}.
#include <arpa/inet.h>
#include <csignal>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kBatch = 50;
volatile std::sig_atomic_t over = 0;

double seconds_now() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// A get_peers query with a made-up id and info-hash, or as many bytes of noise.
std::string datagram(bool query, std::mt19937& random) {
    auto const noise = [&](std::size_t size) {
        std::string bytes(size, '\0');
        for (auto& each : bytes) each = static_cast<char>(random());
        return bytes;
    };
    if (!query) return noise(95);
    return "d1:ad2:id20:" + noise(20) + "9:info_hash20:" + noise(20) + "e1:q9:get_peers1:t2:" + noise(2) + "1:y1:qe";
}

// The source is chosen for each datagram: every address of 127.0.0.0/8 is this machine's.
struct Packet {
    std::string bytes;
    iovec part{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in_pktinfo))> control{};

    void prepare(mmsghdr& message, sockaddr_in& to, std::uint32_t source) {
        part = {bytes.data(), bytes.size()};
        message = {};
        message.msg_hdr.msg_name = &to;
        message.msg_hdr.msg_namelen = sizeof to;
        message.msg_hdr.msg_iov = &part;
        message.msg_hdr.msg_iovlen = 1;
        message.msg_hdr.msg_control = control.data();
        message.msg_hdr.msg_controllen = control.size();
        auto* const header = CMSG_FIRSTHDR(&message.msg_hdr);
        header->cmsg_level = IPPROTO_IP;
        header->cmsg_type = IP_PKTINFO;
        header->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
        in_pktinfo info{};
        info.ipi_spec_dst.s_addr = htonl(source);
        std::memcpy(CMSG_DATA(header), &info, sizeof info);
    }
};

struct Answers {
    unsigned long count = 0, bytes = 0;
    void take(int descriptor) {
        char buffer[2048];
        for (ssize_t size; (size = recv(descriptor, buffer, sizeof buffer, MSG_DONTWAIT)) >= 0; ++count)
            bytes += static_cast<unsigned long>(size);
    }
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) return std::fprintf(stderr, "flooder ADDRESS PORT RATE garbage|queries ADDRESSES\n"), 2;
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[2])));
    inet_pton(AF_INET, argv[1], &to.sin_addr);
    double const rate = std::atof(argv[3]);
    bool const query = std::string(argv[4]) == "queries";
    auto const sources = static_cast<std::uint32_t>(std::atoi(argv[5]));
    std::signal(SIGTERM, [](int) { over = 1; });
    int const descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    if (descriptor < 0 || bind(descriptor, reinterpret_cast<sockaddr*>(&any), sizeof any) != 0) return 1;

    std::mt19937 random(1);
    std::vector<Packet> packets(1000);
    for (auto& packet : packets) packet.bytes = datagram(query, random);
    std::array<mmsghdr, kBatch> messages;
    Answers answers;
    unsigned long sent = 0, failed = 0, bytes = 0;
    auto const begin = seconds_now();
    while (over == 0) {
        auto const due = static_cast<unsigned long>((seconds_now() - begin) * rate);
        if (due < sent + failed + kBatch) {
            timespec const pause{0, 200'000};
            nanosleep(&pause, nullptr);
            continue;
        }
        for (std::size_t i = 0; i < kBatch; ++i) {
            auto const number = static_cast<std::uint32_t>(random()) % sources;
            auto& packet = packets[(sent + i) % packets.size()];
            packet.prepare(messages[i], to, 0x7f100001u + number * 256);
            bytes += packet.bytes.size();
        }
        int const count = sendmmsg(descriptor, messages.data(), kBatch, 0);
        if (count > 0) sent += static_cast<unsigned long>(count);
        if (count < static_cast<int>(kBatch)) failed += kBatch - static_cast<unsigned long>(count > 0 ? count : 0);
        answers.take(descriptor);
    }
    std::printf("{\"sent\": %lu, \"seconds\": %.3f, \"bytes_out\": %lu, \"answers\": %lu, \"bytes_in\": %lu}\n", sent,
                seconds_now() - begin, bytes, answers.count, answers.bytes);
}
