/* Growing text in an arena. */
#ifndef LIGA_BASE_BUF_H
#define LIGA_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct arena;

struct buf {
    struct arena *arena;
    char *text;         /* NUL-terminated after every call; belongs to the arena */
    size_t len, size;
};

/* Starts an empty text. None of these can fail: when memory is out the arena's oom does not return. */
void buf_init(struct buf *buf, struct arena *arena);
/* The same with room for so many bytes: no copies are left behind while the text grows. */
void buf_init_sized(struct buf *buf, struct arena *arena, size_t len);
/* Makes room for `more` bytes and the closing NUL. The old text stays in the arena until its reset. */
void buf_grow(struct buf *buf, size_t more);

/* Inline: where `text` is a literal its length is known to the compiler. */
static inline void buf_add(struct buf *buf, const char *text, size_t len) {
    if (buf->len + len >= buf->size) buf_grow(buf, len);
    if (len) memcpy(buf->text + buf->len, text, len);
    buf->len += len;
    buf->text[buf->len] = '\0';
}

static inline void buf_adds(struct buf *buf, const char *text) {
    buf_add(buf, text, strlen(text));
}

static inline void buf_addc(struct buf *buf, char c) {
    buf_add(buf, &c, 1);
}

void buf_addi(struct buf *buf, int64_t number);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
