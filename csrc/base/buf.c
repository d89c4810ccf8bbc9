#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"

enum { FIRST_SIZE = 256 };

void buf_init(struct buf *buf, struct arena *arena) {
    buf_init_sized(buf, arena, FIRST_SIZE - 1);
}

void buf_init_sized(struct buf *buf, struct arena *arena, size_t len) {
    *buf = (struct buf){ .arena = arena, .size = len + 1 };
    buf->text = arena_alloc(arena, buf->size);
}

void buf_grow(struct buf *buf, size_t more) {
    while (buf->len + more >= buf->size) buf->size *= 2;
    char *text = arena_alloc(buf->arena, buf->size);
    memcpy(text, buf->text, buf->len + 1);
    buf->text = text;
}

void buf_addi(struct buf *buf, int64_t number) {
    char digits[24], *first = digits + sizeof digits;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do *--first = (char)('0' + left % 10);
    while (left /= 10);
    if (number < 0) *--first = '-';
    buf_add(buf, first, (size_t)(digits + sizeof digits - first));
}

void buf_addf(struct buf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len <= 0) return;
    if (buf->len + (size_t)len >= buf->size) buf_grow(buf, (size_t)len);
    va_start(args, format);
    vsnprintf(buf->text + buf->len, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}
