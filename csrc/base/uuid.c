#define _DEFAULT_SOURCE

#include "base/uuid.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "base/arena.h"

enum { UUID_BYTES = 16, UUID_LEN = 36 };

static void fill_random(unsigned char *bytes, size_t size) {
    size_t have = 0;
    while (have < size) {
        ssize_t got = getrandom(bytes + have, size - have, 0);
        if (got > 0) have += (size_t)got;
        else if (errno != EINTR) abort();       /* no kernel that has getrandom refuses 16 bytes */
    }
}

static struct value written(struct arena *arena, unsigned char bytes[UUID_BYTES], unsigned version) {
    static const char digits[] = "0123456789abcdef";
    char *text = arena_alloc(arena, UUID_LEN + 1), *out = text;
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | version << 4);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (int i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    return value_text(text, UUID_LEN);
}

struct value uuid_v4(struct arena *arena) {
    unsigned char bytes[UUID_BYTES];
    fill_random(bytes, sizeof bytes);
    return written(arena, bytes, 4);
}

struct value uuid_v7(struct arena *arena) {
    unsigned char bytes[UUID_BYTES];
    struct timespec now;
    fill_random(bytes, sizeof bytes);
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    for (int i = 0; i < 6; i++) bytes[i] = (unsigned char)(ms >> (40 - 8 * i));
    return written(arena, bytes, 7);
}
