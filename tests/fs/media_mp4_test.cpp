#include "tests/fs/media_file.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;
using torrent::ByteRange;

constexpr std::uint64_t kGiB = 1u << 30;

std::string atom(std::string const& type, std::string const& content) {
    return big(content.size() + 8, 4) + type + content;
}
std::string wide_head(std::string const& type, std::uint64_t content) {
    return big(1, 4) + type + big(content + 16, 8);
}

std::string mvhd(std::uint64_t duration, std::uint64_t per_second) {
    return atom("mvhd", big(0, 12) + big(per_second, 4) + big(duration, 4) + std::string(80, '\0'));
}
std::string wide_mvhd(std::uint64_t duration, std::uint64_t per_second) {
    return atom("mvhd", big(1, 1) + big(0, 19) + big(per_second, 4) + big(duration, 8) + std::string(80, '\0'));
}
std::string sidx(std::vector<std::uint32_t> const& durations, std::uint64_t per_second) {
    auto content = big(0, 8) + big(per_second, 4) + big(0, 8) + big(0, 2) + big(durations.size(), 2);
    for (auto const duration : durations) content += big(1000, 4) + big(duration, 4) + big(0, 4);
    return atom("sidx", content);
}

std::string const kFtyp = atom("ftyp", "isom0000isom");
std::string const kTrak = atom("trak", std::string(5000, 't'));

TEST(MediaMp4, FindsTheMoovBeforeTheFilm) {
    auto const moov = atom("moov", mvhd(90'000, 1000) + kTrak);
    auto const film = MediaFile().add(kFtyp).add(moov).add(wide_head("mdat", kGiB)).add_noise(kGiB);

    auto const found = film.find();

    EXPECT_EQ(found.hints.first, (std::vector<ByteRange>{{20, 20 + moov.size()}}));
    EXPECT_TRUE(found.hints.later.empty());
    EXPECT_TRUE(found.hints.index_known);
    EXPECT_EQ(found.hints.duration, 90s);
    EXPECT_LT(found.looks.back().end, 20 + moov.size() + 100);
}

TEST(MediaMp4, FindsTheMoovBehindTheFilm) {
    auto const moov = atom("moov", mvhd(5400 * 600, 600) + kTrak);
    auto const film =
        MediaFile().add(kFtyp).add(atom("free", "")).add(wide_head("mdat", 5 * kGiB)).add_noise(5 * kGiB).add(moov);

    auto const hints = film.hints();

    EXPECT_EQ(hints.first, (std::vector<ByteRange>{{film.size() - moov.size(), film.size()}}));
    EXPECT_EQ(hints.duration, 5400s);
    EXPECT_TRUE(hints.index_known);
}

TEST(MediaMp4, WantsTheEndOfTheFilmBeforeItIsThere) {
    auto const film =
        MediaFile().add(kFtyp).add(wide_head("mdat", kGiB)).add_noise(kGiB).add(atom("moov", mvhd(1000, 1)));
    fs::MediaIndex index(film.size(), "");
    while (index.next()->begin < kGiB)
        index.feed(std::as_bytes(std::span(std::string_view(film.bytes(*index.next())))));

    auto const behind = kFtyp.size() + 16 + kGiB;
    EXPECT_EQ(index.next(), (ByteRange{behind, behind + 16}));
    EXPECT_EQ(index.hints().first, (std::vector<ByteRange>{{behind, behind + 16}}));
    EXPECT_FALSE(index.hints().index_known);
}

TEST(MediaMp4, ReadsDurationsOf64Bits) {
    auto const film = [](std::string const& mvhd) { return MediaFile().add(kFtyp).add(atom("moov", mvhd)).hints(); };

    EXPECT_EQ(film(wide_mvhd(7200ull * 1'000'000'00, 1'000'000'00)).duration, 7200s);
    EXPECT_EQ(film(wide_mvhd(UINT64_MAX, 1000)).duration, 0s);
    EXPECT_EQ(film(wide_mvhd(UINT64_MAX - 1, 1)).duration, 0s);
    EXPECT_EQ(film(mvhd(UINT32_MAX, 1000)).duration, 0s);
    EXPECT_EQ(film(mvhd(1000, 0)).duration, 0s);
    EXPECT_EQ(film(mvhd(1500, 1000)).duration, 1500ms);
}

TEST(MediaMp4, AnAtomOfSizeZeroGoesOnToTheEnd) {
    auto const moov = big(0, 4) + "moov" + mvhd(1000, 1) + kTrak;
    auto const at_end = MediaFile().add(kFtyp).add(moov);
    auto const film = MediaFile().add(kFtyp).add(big(0, 4) + "mdat").add_noise(kGiB);

    EXPECT_EQ(at_end.hints().first, (std::vector<ByteRange>{{20, at_end.size()}}));
    EXPECT_EQ(at_end.hints().duration, 1000s);
    EXPECT_FALSE(film.hints().index_known);
    EXPECT_EQ(film.hints().first, (std::vector<ByteRange>{}));
}

TEST(MediaMp4, ABrokenChildDoesNotLeadOutOfTheMoov) {
    auto const moov = atom("moov", big(0xFFFFFFF0, 4) + "trak" + std::string(100, 't'));
    auto const film = MediaFile().add(kFtyp).add(moov).add(atom("mdat", "film")).add_noise(8 * kGiB);

    auto const found = film.find();

    EXPECT_EQ(found.hints.first, (std::vector<ByteRange>{{20, 20 + moov.size()}}));
    EXPECT_LT(found.looks.back().end, 1000u);
}

TEST(MediaMp4, FindsTheSidxOfAFragmentedFilmAndItsDuration) {
    auto const moov = atom("moov", mvhd(0, 1000) + kTrak + atom("mvex", atom("trex", std::string(24, 'x'))));
    auto const index = sidx({2000, 2000, 1500}, 1000);
    auto const film = MediaFile().add(kFtyp).add(moov).add(index).add(atom("moof", "m")).add_noise(kGiB);

    auto const found = film.find();

    EXPECT_TRUE(covers(found.hints.first, {20, 20 + moov.size() + index.size()}));
    EXPECT_EQ(found.hints.duration, 5500ms);
    EXPECT_TRUE(found.hints.index_known);
    EXPECT_LT(found.looks.back().end, 10'000u);
}

TEST(MediaMp4, ReadsASidxOfManySegments) {
    auto const moov = atom("moov", mvhd(0, 1000) + atom("mvex", ""));
    auto const film = MediaFile().add(kFtyp).add(moov).add(sidx(std::vector<std::uint32_t>(5000, 2000), 1000));

    EXPECT_EQ(film.hints().duration, 10'000s);
}

TEST(MediaMp4, TheDurationOfAFragmentedFilmMayStandInMehd) {
    auto const mehd = atom("mehd", big(0, 4) + big(60'000, 4));
    auto const wide = atom("mehd", big(1, 1) + big(0, 3) + big(90'000, 8));
    auto const film = [](std::string const& mehd_atom) {
        return MediaFile().add(kFtyp).add(atom("moov", mvhd(0, 1000) + atom("mvex", mehd_atom))).hints();
    };

    EXPECT_EQ(film(mehd).duration, 60s);
    EXPECT_EQ(film(wide).duration, 90s);
}

TEST(MediaMp4, FindsTheMfraAtTheEndOfAFragmentedFilm) {
    auto const moov = atom("moov", mvhd(0, 1000) + atom("mvex", ""));
    auto const mfra = atom("mfra", std::string(400, 'f') + big(16, 4) + "mfro" + big(0, 4) + big(424, 4));
    auto const film = MediaFile().add(kFtyp).add(moov).add(atom("moof", "m")).add_noise(kGiB).add(mfra);

    EXPECT_EQ(film.hints().later, (std::vector<ByteRange>{{film.size() - 424, film.size()}}));
}

TEST(MediaMp4, LooksAtTheEndOfNoFilmThatIsWhole) {
    auto const film = MediaFile().add(kFtyp).add(atom("moov", mvhd(1, 1))).add(atom("mdat", "film")).add_noise(kGiB);

    for (auto const& look : film.find().looks) EXPECT_LT(look.end, 1000u);
}

TEST(MediaMp4, AFileThatIsCutKnowsNoIndex) {
    auto const whole = kFtyp + atom("moov", mvhd(90'000, 1000) + kTrak);
    for (std::size_t cut = 0; cut <= whole.size(); cut += cut < 200 ? 1 : 97) {
        SCOPED_TRACE(cut);
        auto const film = MediaFile().add(whole.substr(0, cut));

        auto const hints = film.hints();

        for (auto const& range : hints.first) EXPECT_LE(range.end, cut);
    }
}

TEST(MediaMp4, ARowOfAtomsThatNeverEndsIsLeft) {
    MediaFile film;
    film.add(kFtyp);
    for (int i = 0; i < 200; ++i) film.add(wide_head("free", 1u << 20)).add_noise(1u << 20);

    auto const found = film.find();

    EXPECT_LE(found.looks.size(), 40u);
    EXPECT_FALSE(found.hints.index_known);
}

TEST(MediaMp4, AMoovThatIsTooLargeIsNotWanted) {
    auto const film = MediaFile().add(kFtyp).add(wide_head("moov", kGiB)).add_noise(kGiB);

    for (auto const& range : film.hints().first) EXPECT_LE(range.size(), 64u << 20);
}

}  // namespace
}  // namespace rqfs::tests
