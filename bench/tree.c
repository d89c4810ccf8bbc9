#include "tree.h"

#include <stdlib.h>

/* Keys are any numbers: places are found through a hash, with open addressing. */
struct index {
    const struct rows *rows; /* their keys come first */
    size_t *slots;           /* place + 1; 0: free */
    size_t mask;
};

/* The children of parent i are those at child[first[i]] to child[first[i + 1] - 1]. */
struct family {
    size_t *first;
    size_t *child;
};

static int64_t key_at(const struct rows *rows, size_t i, size_t offset) {
    int64_t key;
    memcpy(&key, (const char *)rows->at + i * rows->size + offset, sizeof key);
    return key;
}

char *tree_keys(const struct rows *rows, size_t offset, char open, char close) {
    char *text = floor_alloc(rows->count * 21 + 3);
    size_t at = 0;
    text[at++] = open;
    for (size_t i = 0; i < rows->count; i++) {
        const int64_t key = key_at(rows, i, offset);
        if (i > 0 && key == key_at(rows, i - 1, offset)) continue;
        at += (size_t)sprintf(text + at, "%s%lld", at > 1 ? "," : "", (long long)key);
    }
    text[at++] = close;
    text[at] = '\0';
    return text;
}

/* The slot of a key, or the free one where it belongs. */
static size_t *index_slot(const struct index *index, int64_t key) {
    size_t i = (size_t)((uint64_t)key * UINT64_C(11400714819323198485) >> 32);
    for (;; i++) {
        size_t *slot = &index->slots[i & index->mask];
        if (!*slot || key_at(index->rows, *slot - 1, 0) == key) return slot;
    }
}

static struct index new_index(const struct rows *rows) {
    struct index index = {rows, NULL, 1};
    while (index.mask < rows->count * 2) index.mask = index.mask * 2 + 1;
    index.slots = floor_alloc((index.mask + 1) * sizeof *index.slots);
    memset(index.slots, 0, (index.mask + 1) * sizeof *index.slots);
    for (size_t i = 0; i < rows->count; i++) *index_slot(&index, key_at(rows, i, 0)) = i + 1;
    return index;
}

/* For each child the place of the parent whose key it has at an offset. */
static size_t *find_parents(const struct rows *parents, const struct rows *children, size_t offset) {
    const struct index index = new_index(parents);
    size_t *parent = floor_alloc((children->count + 1) * sizeof *parent);
    for (size_t i = 0; i < children->count; i++) {
        const size_t *slot = index_slot(&index, key_at(children, i, offset));
        if (!*slot) floor_fail("a row without parent");
        parent[i] = *slot - 1;
    }
    free(index.slots);
    return parent;
}

/* Children of a parent stay in the order in which they were read. */
static struct family link_children(const struct rows *parents, const struct rows *children, size_t offset) {
    size_t *parent = find_parents(parents, children, offset);
    struct family family = {floor_alloc((parents->count + 2) * sizeof(size_t)),
                            floor_alloc((children->count + 1) * sizeof(size_t))};
    size_t *next = family.first + 1;
    memset(family.first, 0, (parents->count + 2) * sizeof(size_t));
    for (size_t i = 0; i < children->count; i++) family.first[parent[i] + 2]++;
    for (size_t i = 2; i <= parents->count; i++) family.first[i] += family.first[i - 1];
    for (size_t i = 0; i < children->count; i++) family.child[next[parent[i]]++] = i;
    free(parent);
    return family;
}

static double comment_sum(const struct comment *comment) {
    return (double)comment->id + (double)comment->post_id + (double)comment->text.size;
}

static void add_comments(struct outcome *outcome, const struct family *family, size_t post, const struct comment *comments) {
    for (size_t c = family->first[post]; c < family->first[post + 1]; c++) {
        outcome->sum += comment_sum(&comments[family->child[c]]);
        outcome->rows++;
    }
}

void outcome_add_users_tree(struct outcome *outcome, const struct rows *users, const struct rows *posts,
                            const struct rows *comments) {
    const struct family of_users = link_children(users, posts, offsetof(struct post, user_id));
    const struct family of_posts = link_children(posts, comments, offsetof(struct comment, post_id));
    const struct post *post = posts->at;
    outcome_add_users(outcome, users);
    for (size_t user = 0; user < users->count; user++) {
        for (size_t p = of_users.first[user]; p < of_users.first[user + 1]; p++) {
            outcome->sum += post_sum(&post[of_users.child[p]]);
            outcome->rows++;
            add_comments(outcome, &of_posts, of_users.child[p], comments->at);
        }
    }
}

static void add_tags(struct outcome *outcome, const struct family *family, size_t post, const struct tag *tags) {
    for (size_t t = family->first[post]; t < family->first[post + 1]; t++) {
        const struct tag *tag = &tags[family->child[t]];
        outcome->sum += (double)tag->id + (double)tag->name.size;
        outcome->rows++;
    }
}

void outcome_add_posts_tree(struct outcome *outcome, const struct rows *posts, const struct rows *authors,
                            const struct rows *tags) {
    const size_t *author = find_parents(authors, posts, offsetof(struct post, user_id));
    const struct family of_posts = link_children(posts, tags, offsetof(struct tag, post_id));
    const struct post *post = posts->at;
    const struct user *user = authors->at;
    for (size_t i = 0; i < posts->count; i++) {
        outcome->sum += post_sum(&post[i]) + user_sum(&user[author[i]]);
        outcome->rows += 2;
        add_tags(outcome, &of_posts, i, tags->at);
    }
}
