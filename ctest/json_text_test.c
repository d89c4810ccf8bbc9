#include "base/json_text.h"

#include <string.h>

#include "check.h"

static struct json_text json(const char *text) {
    return (struct json_text){ text, text + strlen(text) };
}

static void test_checks(void) {
    static const char *const good[] = {
        "null", " true ", "-0", "1.5e-3", "\"a\\u00e9\\n\"", "[]", "[1, [2], {\"a\": {}}]", "{\"a\":1,\"b\":[null,false]}",
    };
    static const char *const bad[] = {
        "", " ", "nul", "01", "1.", ".5", "1e", "-", "\"", "\"\\x\"", "\"\\u12\"", "[1,]", "[1 2]", "{\"a\"}", "{a:1}", "{\"a\":1,}",
        "1 2", "\"a\nb\"", "[", "{", "{\"a\":", "'a'",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct json_text text = json(good[i]);
        CHECK(json_text_check(&text), "well-formed: %s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct json_text text = json(bad[i]);
        CHECK(!json_text_check(&text), "text %d is not well-formed", (int)i);
    }
    char deep[2 * JSON_TEXT_DEPTH + 3];
    memset(deep, '[', JSON_TEXT_DEPTH + 1);
    memset(deep + JSON_TEXT_DEPTH + 1, ']', JSON_TEXT_DEPTH + 1);
    deep[sizeof deep - 1] = '\0';
    struct json_text text = json(deep);
    CHECK(!json_text_check(&text), "too deep");
}

static void test_paths(void) {
    struct json_text value, object = json("{\"a.b\": 1, \"q\\\"z\":[10, \"x\" ,{}], \"\\u0061\":2, \"a\":3}");
    CHECK(json_text_member(object, "a.b", 3, &value) && *value.at == '1', "a key with a dot");
    CHECK(json_text_member(object, "a", 1, &value) && *value.at == '3', "the last of several");
    CHECK(!json_text_member(object, "b", 1, &value), "no such key");
    CHECK(json_text_member(object, "q\"z", 3, &value) && json_text_kind(value) == JSON_ARRAY, "a key with a quote");
    struct json_text element;
    CHECK(json_text_element(value, 1, &element) && json_text_kind(element) == JSON_STRING, "the second element");
    CHECK(json_text_element(value, 2, &element) && json_text_kind(element) == JSON_OBJECT, "the last element");
    CHECK(!json_text_element(value, 3, &element) && !json_text_element(object, 0, &element), "no such element");
}

static const struct { const char *a, *b; bool equal, contains, overlaps; } pairs[] = {
    { "1", "1.0", true, true, false },
    { "100", "1e2", true, true, false },
    { "\"\\u00e9\"", "\"\xC3\xA9\"", true, true, false },
    { "\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\"", true, true, false },
    { "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true, true, false },
    { "{\"a\":1,\"b\":2}", "{\"a\":1}", false, true, false },
    { "{\"a\":1}", "{\"a\":1,\"b\":2}", false, false, false },
    { "[1,2,3]", "[3,1]", false, true, true },
    { "[1,2]", "[2,1]", false, true, true },
    { "[1,2]", "2", false, true, false },
    { "2", "[2]", false, false, false },
    { "[[1,2]]", "[1]", false, false, false },
    { "[{\"a\":1,\"b\":2}]", "[{\"a\":1}]", false, true, false },
    { "{\"a\":[1,2]}", "{\"a\":1}", false, false, false },
    { "[]", "[]", true, true, false },
    { "[1]", "[]", false, true, false },
    { "null", "null", true, true, false },
    { "true", "false", false, false, false },
    { "1", "\"1\"", false, false, false },
    { "{\"a\":1,\"a\":2}", "{\"a\":2}", true, true, false },
    { "{\"a\":1,\"a\":2}", "{\"a\":1}", false, false, false },
    { "{\"a\":2,\"b\":3}", "{\"a\":1,\"a\":2}", false, true, false },
    { "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"\\u0063\":3}", false, true, false },
    { "{\"a\":1,\"c\":3}", "{\"a\":1,\"b\":3}", false, false, false },
    { "{\"b\":2,\"a\":1}", "{\"a\":1,\"b\":2}", true, true, false },
    { "{}", "{\"a\":1}", false, false, false },
};

static void test_comparisons(void) {
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct json_text a = json(pairs[i].a), b = json(pairs[i].b);
        CHECK(json_text_equal(a, b) == pairs[i].equal && json_text_equal(b, a) == pairs[i].equal, "%s = %s", pairs[i].a,
              pairs[i].b);
        CHECK(json_text_contains(a, b) == pairs[i].contains, "%s contains %s", pairs[i].a, pairs[i].b);
        CHECK(json_text_overlaps(a, b) == pairs[i].overlaps, "%s overlaps %s", pairs[i].a, pairs[i].b);
    }
}

/* Every level is looked at once: a program that did it twice would not come to an end here. */
static void test_deep_comparisons(void) {
    static const char level[] = "{\"a\":0,\"a\":";
    enum { LEVEL = sizeof level - 1, DEEP = JSON_TEXT_DEPTH - 1 };
    char a[DEEP * (LEVEL + 1) + 2], b[sizeof a], *at = a;
    for (int i = 0; i < DEEP; i++, at += LEVEL) memcpy(at, level, LEVEL);
    *at++ = '1';
    memset(at, '}', DEEP);
    at[DEEP] = '\0';
    memcpy(b, a, sizeof a);
    CHECK(json_text_equal(json(a), json(b)) && json_text_contains(json(a), json(b)), "deep documents are compared in time");
    b[DEEP * LEVEL] = '2';
    CHECK(!json_text_equal(json(a), json(b)) && !json_text_contains(json(a), json(b)), "… and told apart");
}

/* Side by side, not each member against all. */
static void test_wide_comparisons(void) {
    enum { WIDE = 100000, MEMBER = sizeof "\"000000\":1," - 1 };
    static char a[WIDE * MEMBER + 3], b[sizeof a];
    char *at = a;
    *at++ = '{';
    for (int i = 0; i < WIDE; i++) at += sprintf(at, "\"%06d\":1%s", i, i + 1 < WIDE ? "," : "}");
    memcpy(b, a, sizeof a);
    CHECK(json_text_equal(json(a), json(b)) && json_text_contains(json(a), json(b)), "wide documents are compared in time");
    b[strlen(b) - 2] = '2';
    CHECK(!json_text_equal(json(a), json(b)) && !json_text_contains(json(a), json(b)), "… and told apart");
}

static void test_characters(void) {
    char out[64];
    struct json_text text = json("\"a\\n\\\"\\u20ac\\ud83d\\ude00\\/\"");
    size_t len = json_text_characters(text, out);
    static const char expected[] = "a\n\"\xE2\x82\xAC\xF0\x9F\x98\x80/";
    CHECK(len == sizeof expected - 1 && memcmp(out, expected, len) == 0, "escapes undone");
    CHECK(json_text_characters(json("\"\""), out) == 0, "the empty string");
}

/* Texts that are no JSON: nothing is promised but that no byte outside is read (the sanitizer looks). */
static void test_torn(void) {
    static const char text[] = "{\"a\\u00e9\":[1,{\"b\":\"x\\ud83d\\ude00\"},null],\"c\":true}";
    struct json_text value;
    for (size_t len = 0; len < sizeof text; len++) {
        char copy[sizeof text];
        memcpy(copy, text, len);
        struct json_text torn = { copy, copy + len };
        json_text_member(torn, "c", 1, &value);
        json_text_equal(torn, torn);
        json_text_contains(torn, torn);
        json_text_overlaps(torn, torn);
    }
    CHECK(true, "torn texts");
}

int main(void) {
    test_checks();
    test_paths();
    test_comparisons();
    test_deep_comparisons();
    test_wide_comparisons();
    test_characters();
    test_torn();
    return check_done();
}
