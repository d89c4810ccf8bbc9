#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "check.h"

static void give_up(void *owner) {
    (void)owner;
    abort();
}

static void test_pieces(struct arena *arena) {
    struct buf buf;
    buf_init(&buf, arena);
    CHECK(buf.len == 0 && strcmp(buf.text, "") == 0, "a new text is empty");
    buf_adds(&buf, "SELECT");
    buf_addc(&buf, ' ');
    buf_addi(&buf, INT64_MIN);
    buf_addf(&buf, " %s=%d", "a", 5);
    buf_add(&buf, "xyz", 2);
    buf_add(&buf, NULL, 0);
    CHECK(strcmp(buf.text, "SELECT -9223372036854775808 a=5xy") == 0 && buf.len == strlen(buf.text),
          "pieces follow each other");
    buf_add(&buf, "\0!", 2);
    CHECK(buf.text[buf.len - 1] == '!' && buf.text[buf.len] == '\0', "NUL bytes are bytes");
}

/* The text stays right over every size at which it has to move. */
static void test_growth(struct arena *arena) {
    struct buf buf, by_format;
    bool right = true;
    buf_init(&buf, arena);
    buf_init(&by_format, arena);
    for (int i = 0; i < 5000; i++) {
        buf_addc(&buf, (char)('a' + i % 26));
        buf_addf(&by_format, "%c", 'a' + i % 26);
        right = right && buf.len == (size_t)i + 1 && buf.text[buf.len] == '\0' && buf.size > buf.len;
    }
    for (int i = 0; i < 5000; i++) right = right && buf.text[i] == 'a' + i % 26;
    CHECK(right, "byte after byte");
    CHECK(by_format.len == 5000 && strcmp(buf.text, by_format.text) == 0, "the same by format");
    buf_addf(&buf, "%100000d", 1);
    CHECK(buf.len == 105000 && strlen(buf.text) == 105000, "a piece longer than the text");
}

int main(void) {
    struct arena arena;
    arena_init(&arena, give_up, NULL);
    test_pieces(&arena);
    test_growth(&arena);
    arena_free(&arena);
    return check_done();
}
