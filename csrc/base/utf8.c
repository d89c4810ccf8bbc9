#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

#define EACH_BYTE(byte) ((uint64_t)(byte) * 0x0101010101010101u)

/* True for eight bytes 01 … 7F: no byte borrows from its neighbour unless it is 0, and then its own high bit is set. */
static bool eight_plain(const char *text) {
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return ((word | (word - EACH_BYTE(0x01))) & EACH_BYTE(0x80)) == 0;
}

static bool continues(unsigned char byte) {
    return (byte & 0xC0) == 0x80;
}

/* Length of the sequence that begins here, 0 if it is malformed. The second byte's range excludes overlong forms,
 * surrogates and what is over 10FFFF (Unicode standard, table 3-7). */
static size_t sequence(const unsigned char *s, size_t left) {
    if (s[0] < 0x80) return 1;
    if (s[0] < 0xC2 || s[0] > 0xF4 || left < 2) return 0;
    if (s[0] < 0xE0) return continues(s[1]) ? 2 : 0;
    if (left < 3 || !continues(s[1]) || !continues(s[2])) return 0;
    if (s[0] < 0xF0) return (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ? 0 : 3;
    if (left < 4 || !continues(s[3])) return 0;
    return (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F) ? 0 : 4;
}

static enum utf8_fault check(const char *text, size_t len, size_t *at, bool nul_allowed) {
    size_t i = 0;
    enum utf8_fault fault = UTF8_FINE;
    while (i < len && fault == UTF8_FINE) {
        if (len - i >= 8 && eight_plain(text + i)) {
            i += 8;
            continue;
        }
        size_t step = sequence((const unsigned char *)text + i, len - i);
        if (step == 0) fault = UTF8_INVALID;
        else if (text[i] == '\0' && !nul_allowed) fault = UTF8_NUL;
        else i += step;
    }
    if (at) *at = i;
    return fault;
}

enum utf8_fault utf8_check(const char *text, size_t len, size_t *at) {
    return check(text, len, at, false);
}

bool utf8_is_valid(const char *text, size_t len) {
    return check(text, len, NULL, true) == UTF8_FINE;
}

size_t utf8_count(const char *text, size_t len) {
    size_t count = 0;
    for (size_t i = 0; i < len; i++) count += !continues((unsigned char)text[i]);
    return count;
}

size_t utf8_put(unsigned long code, char *out) {
    static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(lead[len] | code);
    return len;
}
