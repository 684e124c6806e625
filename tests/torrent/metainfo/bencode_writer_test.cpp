#include "torrent/metainfo/bencode.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent::bencode {
namespace {

std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string text_of(std::span<std::byte const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

// A made-up value: what it is in memory, and how it is written.
struct Tree {
    Value::Type type = Value::Type::integer;
    std::int64_t number = 0;
    std::string text;
    std::vector<Tree> list;
    std::map<std::string, Tree> dictionary;
};

std::string random_text(std::mt19937_64& random) {
    std::string text(random() % 12, '\0');
    for (auto& c : text) c = static_cast<char>(random());
    return text;
}

Tree random_tree(std::mt19937_64& random, int depth) {
    Tree tree;
    tree.type = static_cast<Value::Type>(random() % (depth > 0 ? 4 : 2));
    tree.number = static_cast<std::int64_t>(random()) >> (random() % 64);
    tree.text = random_text(random);
    for (auto n = random() % 5; tree.type == Value::Type::list && n > 0; --n)
        tree.list.push_back(random_tree(random, depth - 1));
    for (auto n = random() % 5; tree.type == Value::Type::dictionary && n > 0; --n)
        tree.dictionary[random_text(random)] = random_tree(random, depth - 1);
    return tree;
}

void write(Tree const& tree, Writer& writer) {
    switch (tree.type) {
        case Value::Type::integer: writer.integer(tree.number); break;
        case Value::Type::string: writer.string(tree.text); break;
        case Value::Type::list:
            writer.begin_list();
            for (auto const& element : tree.list) write(element, writer);
            writer.end();
            break;
        case Value::Type::dictionary:
            writer.begin_dictionary();
            for (auto const& [key, value] : tree.dictionary) write(value, writer.key(key));
            writer.end();
            break;
    }
}

bool same(Tree const& tree, Value const& value) {
    if (value.type() != tree.type) return false;
    switch (tree.type) {
        case Value::Type::integer: return value.integer() == tree.number;
        case Value::Type::string: return value.text() == tree.text;
        case Value::Type::list: {
            auto const elements = value.elements();
            bool equal = elements.size() == tree.list.size() && value.size() == tree.list.size();
            for (std::size_t i = 0; equal && i < elements.size(); ++i) equal = same(tree.list[i], elements[i]);
            return equal;
        }
        case Value::Type::dictionary: {
            bool equal = value.size() == tree.dictionary.size() && !value.has_duplicate_keys();
            for (auto const& [key, child] : tree.dictionary) {
                auto const found = value.find(key);
                equal = equal && found && same(child, *found);
            }
            return equal;
        }
    }
    return false;
}

TEST(BencodeWriter, WritesWhatIsReadBack) {
    for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
        std::mt19937_64 random(seed);
        auto const tree = random_tree(random, 5);
        Writer writer;
        write(tree, writer);
        auto const written = writer.take();

        auto const document = Document::parse(written, {128, 100'000});

        ASSERT_TRUE(document) << "seed " << seed;
        ASSERT_TRUE(same(tree, document->root())) << "seed " << seed;
        ASSERT_EQ(text_of(document->root().raw()), text_of(written)) << "seed " << seed;
    }
}

TEST(BencodeWriter, WritesAsBep3Says) {
    Writer writer;
    writer.begin_dictionary()
        .key("a")
        .integer(-7)
        .key("b")
        .begin_list()
        .string("text")
        .string(bytes_of("raw"))
        .end()
        .key("c")
        .raw(bytes_of("d1:xi1ee"))
        .end();

    EXPECT_EQ(text_of(writer.take()), "d1:ai-7e1:bl4:text3:rawe1:cd1:xi1eee");
}

TEST(BencodeWriter, MayBeUsedAgainAfterItsBytesWereTaken) {
    Writer writer;
    writer.integer(1);
    EXPECT_EQ(text_of(writer.take()), "i1e");

    writer.integer(2);

    EXPECT_EQ(text_of(writer.take()), "i2e");
}

}  // namespace
}  // namespace rqfs::torrent::bencode
