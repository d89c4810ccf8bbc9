#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

enum { FIRST_SIZE = 256 };

void buf_init(struct buf *buf, struct arena *arena) {
    buf_init_sized(buf, arena, FIRST_SIZE - 1);
}

void buf_init_sized(struct buf *buf, struct arena *arena, size_t len) {
    *buf = (struct buf){ .arena = arena, .size = len + 1 };
    buf->text = arena_alloc(arena, buf->size);
}

/* Makes room for `more` bytes and the closing NUL. The old text stays in the arena until its reset. */
static void reserve(struct buf *buf, size_t more) {
    if (buf->len + more < buf->size) return;
    while (buf->len + more >= buf->size) buf->size *= 2;
    char *text = arena_alloc(buf->arena, buf->size);
    memcpy(text, buf->text, buf->len + 1);
    buf->text = text;
}

void buf_addc(struct buf *buf, char c) {
    reserve(buf, 1);
    buf->text[buf->len++] = c;
    buf->text[buf->len] = '\0';
}

void buf_add(struct buf *buf, const char *text, size_t len) {
    reserve(buf, len);
    if (len) memcpy(buf->text + buf->len, text, len);
    buf->len += len;
    buf->text[buf->len] = '\0';
}

void buf_adds(struct buf *buf, const char *text) {
    buf_add(buf, text, strlen(text));
}

void buf_addi(struct buf *buf, int64_t number) {
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)number);
    buf_add(buf, digits, (size_t)len);
}

void buf_addf(struct buf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len <= 0) return;
    reserve(buf, (size_t)len);
    va_start(args, format);
    vsnprintf(buf->text + buf->len, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}
