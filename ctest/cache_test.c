/* The statement cache: look-up, least recently used first out, texts in use, clearing. */
#include "driver/cache.h"

#include <stdio.h>
#include <string.h>

#include "check.h"

static int disposed[100];

static void dispose(void *handle) {
    ++*(int *)handle;
}

static void *take(struct cache *cache, const char *text, struct cache_entry **entry) {
    return cache_take(cache, text, strlen(text), entry);
}

static struct cache_entry *keep(struct cache *cache, const char *text, int number) {
    return cache_keep(cache, text, strlen(text), &disposed[number]);
}

static void keep_and_give(struct cache *cache, const char *text, int number) {
    struct cache_entry *entry = keep(cache, text, number);
    if (entry) cache_give(cache, entry);
}

static bool has(struct cache *cache, const char *text) {
    struct cache_entry *entry;
    if (!take(cache, text, &entry)) return false;
    cache_give(cache, entry);
    return true;
}

static struct cache fresh(int limit) {
    struct cache cache;
    memset(disposed, 0, sizeof disposed);
    CHECK(cache_init(&cache, limit, dispose), "a cache of %d", limit);
    return cache;
}

static void test_look_up(void) {
    struct cache cache = fresh(4);
    struct cache_entry *entry;
    CHECK(!take(&cache, "SELECT 1", &entry) && !entry, "an empty cache has nothing");
    keep_and_give(&cache, "SELECT 1", 1);
    CHECK(take(&cache, "SELECT 1", &entry) == &disposed[1], "a kept handle comes back");
    cache_give(&cache, entry);
    CHECK(!has(&cache, "SELECT 2") && !has(&cache, "SELECT 1 ") && !has(&cache, ""), "other texts are misses");
    CHECK(!cache_take(&cache, "SELECT 1", 7, &entry), "the length counts");
    cache_free(&cache);
    CHECK(disposed[1] == 1, "freeing disposes once");
}

static void test_least_recently_used(void) {
    struct cache cache = fresh(3);
    keep_and_give(&cache, "a", 1);
    keep_and_give(&cache, "b", 2);
    keep_and_give(&cache, "c", 3);
    CHECK(has(&cache, "a"), "a is there and newest now");
    keep_and_give(&cache, "d", 4);
    CHECK(disposed[2] == 1 && !has(&cache, "b"), "the least recently used one goes");
    CHECK(has(&cache, "a") && has(&cache, "c") && has(&cache, "d"), "the others stay");
    CHECK(cache.count == 3, "never more than the limit");
    cache_free(&cache);
}

static void test_in_use(void) {
    struct cache cache = fresh(2);
    struct cache_entry *entry = keep(&cache, "a", 1), *second;
    CHECK(!take(&cache, "a", &second), "a text in use is a miss");
    CHECK(!keep(&cache, "a", 2), "and its second handle isn't kept");
    struct cache_entry *other = keep(&cache, "b", 3);
    CHECK(!keep(&cache, "c", 4), "nothing is kept where all are in use");
    CHECK(!disposed[1] && !disposed[2] && !disposed[3] && !disposed[4], "and nothing was disposed of");
    cache_give(&cache, entry);
    cache_give(&cache, other);
    CHECK(has(&cache, "a") && has(&cache, "b"), "given back they are found again");
    cache_free(&cache);
}

static void test_clear(void) {
    struct cache cache = fresh(4);
    keep_and_give(&cache, "a", 1);
    struct cache_entry *entry = keep(&cache, "b", 2);
    cache_clear(&cache);
    CHECK(disposed[1] == 1 && disposed[2] == 0, "clearing spares what is in use");
    keep_and_give(&cache, "b", 3);
    cache_give(&cache, entry);
    CHECK(disposed[2] == 1 && disposed[3] == 0, "which goes when it is given back");
    CHECK(has(&cache, "b") && !has(&cache, "a"), "the fresh one stays");
    cache_free(&cache);
    CHECK(disposed[3] == 1 && disposed[2] == 1, "nothing is disposed of twice");
}

static void test_none_kept(void) {
    struct cache cache = fresh(0);
    CHECK(!keep(&cache, "a", 1) && !has(&cache, "a"), "limit 0 keeps nothing");
    cache_clear(&cache);
    cache_free(&cache);
    CHECK(disposed[1] == 0, "the handle stays the caller's");
}

static void test_forget(void) {
    struct cache cache = fresh(4);
    keep_and_give(&cache, "a", 1);
    cache_forget(&cache);
    CHECK(disposed[1] == 0 && cache.count == 0, "forgetting leaves the handles alone");
    CHECK(!has(&cache, "a") && !keep(&cache, "b", 2), "a forgotten cache keeps nothing");
}

static void test_many(void) {
    struct cache cache = fresh(50);
    char text[40];
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "SELECT name FROM users WHERE id = %d", i);
        keep_and_give(&cache, text, i);
    }
    int lost = 0, wrong = 0;
    for (int i = 0; i < 100; i++) {
        struct cache_entry *entry;
        snprintf(text, sizeof text, "SELECT name FROM users WHERE id = %d", i);
        void *handle = take(&cache, text, &entry);
        if (!handle) lost++;
        else cache_give(&cache, entry), wrong += handle != &disposed[i];
    }
    CHECK(lost == 50 && wrong == 0, "of a hundred texts the last fifty are there");
    cache_free(&cache);
    int once = 0;
    for (int i = 0; i < 100; i++) once += disposed[i] == 1;
    CHECK(once == 100, "each handle was disposed of once");
}

int main(void) {
    test_look_up();
    test_least_recently_used();
    test_in_use();
    test_clear();
    test_none_kept();
    test_forget();
    test_many();
    return check_done();
}
