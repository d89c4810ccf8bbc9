/* Growing text in an arena. */
#ifndef LIGA_BASE_BUF_H
#define LIGA_BASE_BUF_H

#include <stdint.h>
#include <stddef.h>

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
void buf_addc(struct buf *buf, char c);
void buf_add(struct buf *buf, const char *text, size_t len);
void buf_adds(struct buf *buf, const char *text);
void buf_addi(struct buf *buf, int64_t number);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
