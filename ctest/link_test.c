/* Association writes: setting and clearing keys, deleting rows and links. */
#include "load/link.h"

#include "cases.h"

#define STATEMENT(name) \
    static struct statement *name(struct blog *blog, const struct dialect *dialect, struct error *error)

static const struct value one = { .kind = VALUE_INT, .as.integer = 1 };
static const struct value ids[] = { { .kind = VALUE_INT, .as.integer = 7 }, { .kind = VALUE_INT, .as.integer = 8 } };
static const struct value never = { .kind = VALUE_NULL };
static const struct value now = { .kind = VALUE_TEXT, .len = 3, .as.text = "now" };

static struct link_keys posts_named(const struct blog *blog, int count) {
    return (struct link_keys){ .attrs = blog->post->key, .values = ids, .count = count };
}

static struct link_keys tags_named(struct blog *blog, int count) {
    return (struct link_keys){ .attrs = blog_list(blog->post_tag, "tagId", NULL), .values = ids, .count = count };
}

static struct statement *update(struct blog *blog, const struct dialect *dialect, const struct update *made,
                                struct error *error) {
    if (made) return render_update(blog->arena, dialect, made, error);
    error_set(error, blog->arena, ERROR_USAGE, "no statement");
    return NULL;
}

static struct statement *deletion(struct blog *blog, const struct dialect *dialect, const struct delete *made,
                                  struct error *error) {
    return render_delete(blog->arena, dialect, made, error);
}

/* hasMany whose scope is status = 'open'. */
static const struct assoc *open_posts(struct blog *blog) {
    struct hop *hop = &blog->posts->hops[0];
    struct scope_value *values = arena_array(blog->arena, struct scope_value, 1);
    values[0] = (struct scope_value){ attr_find(blog->post, "status"), value_text("open", 4) };
    hop->values = values;
    hop->value_count = 1;
    hop->scope = expr_attr_is(blog->arena, values[0].attr, values[0].value);
    return blog->posts;
}

/* ---------------------------------------------------------------------------------------- the target holds the key */

STATEMENT(link) {
    return update(blog, dialect, link_targets(blog->arena, blog->posts, &one, posts_named(blog, 2), never), error);
}

STATEMENT(link_touching) {
    return update(blog, dialect, link_targets(blog->arena, blog->posts, &one, posts_named(blog, 1), now), error);
}

STATEMENT(link_none) {
    return update(blog, dialect, link_targets(blog->arena, blog->posts, &one, posts_named(blog, 0), never), error);
}

STATEMENT(link_scoped) {
    return update(blog, dialect, link_targets(blog->arena, open_posts(blog), &one, posts_named(blog, 1), now), error);
}

static struct statement *unlink_which(struct blog *blog, const struct dialect *dialect, enum which which, int count,
                                      struct value time, struct error *error) {
    return update(blog, dialect, unlink_targets(blog->arena, blog->posts, &one, which, posts_named(blog, count), time),
                  error);
}

STATEMENT(unlink_named)         { return unlink_which(blog, dialect, WHICH_NAMED, 1, now, error); }

STATEMENT(unlink_none)          { return unlink_which(blog, dialect, WHICH_NAMED, 0, never, error); }

STATEMENT(unlink_others)        { return unlink_which(blog, dialect, WHICH_OTHERS, 2, never, error); }

STATEMENT(unlink_other_than_none) { return unlink_which(blog, dialect, WHICH_OTHERS, 0, never, error); }

STATEMENT(unlink_all)           { return unlink_which(blog, dialect, WHICH_ALL, 2, never, error); }

STATEMENT(unlink_scoped) {
    open_posts(blog);
    return unlink_which(blog, dialect, WHICH_ALL, 0, never, error);
}

/* The key is part of the target's own key, or may not be NULL. */
STATEMENT(unlink_fixed) {
    blog->posts->hops[0].far = blog->post_tag->key;
    return unlink_which(blog, dialect, WHICH_ALL, 0, never, error);
}

/* Of a composite key only the parts that may be NULL are cleared. */
STATEMENT(unlink_partly) {
    static const struct value key[] = { { .kind = VALUE_INT, .as.integer = 1 },
                                        { .kind = VALUE_TEXT, .len = 1, .as.text = "s" } };
    REQUIRED(blog->post, "shop", .column = "id", .type.id = TYPE_INTEGER);
    struct hop *hop = &blog->posts->hops[0];
    hop->near = blog->place->key;
    hop->far = blog_list(blog->post, "shop", "title");
    return update(blog, dialect, unlink_targets(blog->arena, blog->posts, key, WHICH_ALL, posts_named(blog, 0), never),
                  error);
}

STATEMENT(delete_named) {
    return deletion(blog, dialect, delete_targets(blog->arena, blog->posts, &one, WHICH_NAMED, posts_named(blog, 2)),
                    error);
}

STATEMENT(delete_others_scoped) {
    return deletion(blog, dialect,
                    delete_targets(blog->arena, open_posts(blog), &one, WHICH_OTHERS, posts_named(blog, 1)), error);
}

/* --------------------------------------------------------------------------------------- a junction holds the keys */

static struct statement *delete_links_which(struct blog *blog, const struct dialect *dialect, enum which which,
                                            int count, struct error *error) {
    return deletion(blog, dialect, delete_links(blog->arena, blog->tags, &one, which, tags_named(blog, count)), error);
}

STATEMENT(links_named)   { return delete_links_which(blog, dialect, WHICH_NAMED, 2, error); }

STATEMENT(links_others)  { return delete_links_which(blog, dialect, WHICH_OTHERS, 1, error); }

STATEMENT(links_plain) {
    struct hop *hops = blog->tags->hops;
    hops[1].scope = NULL;
    hops[0].scope = expr_attr_is(blog->arena, attr_find(blog->post_tag, "note"), value_text("n", 1));
    return delete_links_which(blog, dialect, WHICH_ALL, 0, error);
}

/* The target's key has two parts. */
STATEMENT(links_composite) {
    struct hop *last = &blog->tags->hops[1];
    struct assoc *assoc = blog->tags;
    assoc->target = last->next = blog->place;
    last->near = blog_list(blog->post_tag, "tagId", "note");
    last->far = blog->place->key;
    last->scope = expr_attr_is(blog->arena, attr_find(blog->place, "label"), value_text("l", 1));
    return delete_links_which(blog, dialect, WHICH_ALL, 0, error);
}

static struct link_keys tags_by_id(const struct blog *blog) {
    return (struct link_keys){ .attrs = blog->tag->key, .values = ids, .count = 2 };
}

STATEMENT(scope) {
    return update(blog, dialect, scope_targets(blog->arena, blog->tags, tags_by_id(blog), never), error);
}

STATEMENT(no_scope) {
    return update(blog, dialect, scope_targets(blog->arena, blog->posts, posts_named(blog, 1), now), error);
}

#define IDS "`id` IN (?, ?)"

static const struct sql_case cases[] = {
    { "link two rows", link, "UPDATE `posts` SET `user_id` = ? WHERE " IDS " | 1, 7, 8",
      "UPDATE `posts` SET `user_id` = $1 WHERE `id` = ANY ($2) | 1, [7,8]" },
    { "link and touch", link_touching,
      "UPDATE `posts` SET `user_id` = ?, `updatedAt` = CASE WHEN `user_id` = ? THEN `updatedAt` ELSE ? END"
      " WHERE `id` = ? | 1, 1, 'now', 7",
      NULL },
    { "link nothing", link_none, "UPDATE `posts` SET `user_id` = ? WHERE 1 = 0 | 1", NULL },
    { "link into a scope", link_scoped,
      "UPDATE `posts` SET `user_id` = ?, `status` = ?,"
      " `updatedAt` = CASE WHEN `user_id` = ? AND (`status` = ?) THEN `updatedAt` ELSE ? END WHERE `id` = ?"
      " | 1, 'open', 1, 'open', 'now', 7",
      NULL },

    { "unlink one", unlink_named,
      "UPDATE `posts` SET `user_id` = NULL, `updatedAt` = ? WHERE `user_id` = ? AND `id` = ? | 'now', 1, 7", NULL },
    { "unlink nothing", unlink_none, "UPDATE `posts` SET `user_id` = NULL WHERE `user_id` = ? AND 1 = 0 | 1", NULL },
    { "unlink the others", unlink_others,
      "UPDATE `posts` SET `user_id` = NULL WHERE `user_id` = ? AND NOT (" IDS ") | 1, 7, 8",
      "UPDATE `posts` SET `user_id` = NULL WHERE `user_id` = $1 AND NOT (`id` = ANY ($2)) | 1, [7,8]" },
    { "others than none are all", unlink_other_than_none, "UPDATE `posts` SET `user_id` = NULL WHERE `user_id` = ? | 1",
      NULL },
    { "unlink all", unlink_all, "UPDATE `posts` SET `user_id` = NULL WHERE `user_id` = ? | 1", NULL },
    { "unlink those of a scope", unlink_scoped,
      "UPDATE `posts` SET `user_id` = NULL WHERE `user_id` = ? AND `status` = ? | 1, 'open'", NULL },
    { "a key that can't be cleared", unlink_fixed, "error: no statement", NULL },
    { "a key that can be cleared in part", unlink_partly,
      "UPDATE `posts` SET `headline` = NULL WHERE `id` = ? AND `headline` = ? | 1, 's'", NULL },
    { "delete targets", delete_named, "DELETE FROM `posts` WHERE `user_id` = ? AND " IDS " | 1, 7, 8",
      "DELETE FROM `posts` WHERE `user_id` = $1 AND `id` = ANY ($2) | 1, [7,8]" },
    { "delete the others of a scope", delete_others_scoped,
      "DELETE FROM `posts` WHERE (`user_id` = ? AND `status` = ?) AND NOT (`id` = ?) | 1, 'open', 7", NULL },

    { "delete links", links_named,
      "DELETE FROM `post_tags` WHERE (`postId` = ? AND `tagId` IN (SELECT `id` FROM `tags` WHERE `kind` = ?))"
      " AND `tagId` IN (?, ?) | 1, 'post', 7, 8",
      "DELETE FROM `post_tags` WHERE (`postId` = $1 AND `tagId` IN (SELECT `id` FROM `tags` WHERE `kind` = $2))"
      " AND `tagId` = ANY ($3) | 1, 'post', [7,8]" },
    { "delete other links", links_others,
      "DELETE FROM `post_tags` WHERE (`postId` = ? AND `tagId` IN (SELECT `id` FROM `tags` WHERE `kind` = ?))"
      " AND NOT (`tagId` = ?) | 1, 'post', 7",
      NULL },
    { "delete links with a condition of their own", links_plain,
      "DELETE FROM `post_tags` WHERE `postId` = ? AND `note` = ? | 1, 'n'", NULL },
    { "delete links to a composite key", links_composite,
      "DELETE FROM `post_tags` WHERE `postId` = ?"
      " AND (`tagId`, `note`) IN (SELECT `shop`, `shelf` FROM `places` WHERE `label` = ?) | 1, 'l'",
      "DELETE FROM `post_tags` WHERE `postId` = $1"
      " AND (`tagId`, `note`) IN (SELECT `shop`, `shelf` FROM `shop`.`places` WHERE `label` = $2) | 1, 'l'" },
    { "targets get what the scope writes, also where it was NULL", scope,
      "UPDATE `tags` SET `kind` = ? WHERE `id` IN (?, ?) AND (`kind` = ?) IS NOT TRUE | 'post', 7, 8, 'post'",
      "UPDATE `tags` SET `kind` = $1 WHERE `id` = ANY ($2) AND (`kind` = $3) IS NOT TRUE | 'post', [7,8], 'post'" },
    { "without a scope there is nothing to write", no_scope, "error: no statement", NULL },
};

static void test_clearable(void) {
    struct attr attr = { .allow_null = true };
    CHECK(clearable(&attr), "an attribute that may be NULL can be cleared");
    attr.primary = true;
    CHECK(!clearable(&attr), "unless it is part of the key");
    CHECK(!clearable(&(struct attr){ .allow_null = false }), "one that may not be NULL can't");
}

int main(void) {
    RUN_CASES(cases);
    test_clearable();
    return check_done();
}
