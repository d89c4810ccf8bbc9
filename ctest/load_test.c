/* The walk over hops, paths, steps of plans, and joined lists. */
#include "load/path.h"
#include "load/plan.h"

#include "cases.h"

#define STATEMENT(name) \
    static struct statement *name(struct blog *blog, const struct dialect *dialect, struct error *error)

static const struct attr *attr(const struct model *model, const char *name) {
    return attr_find(model, name);
}

static struct statement *render(struct blog *blog, const struct dialect *dialect, const struct plan *plan,
                                struct error *error) {
    return render_select(blog->arena, dialect, plan->select, error);
}

/* A plan that reads the ids of a model's rows. */
static struct plan *ids_of(struct blog *blog, const struct model *model) {
    struct plan *plan = plan_new(blog->arena, model);
    plan_attr(blog->arena, plan, attr(model, "id"), 0);
    return plan;
}

/* -------------------------------------------------------------------------------------------------------- walks */

static struct statement *joined(struct blog *blog, const struct dialect *dialect, const struct model *from,
                                enum join_kind kind, const struct assoc *assoc, struct error *error) {
    struct plan *plan = ids_of(blog, from);
    struct join *join = walk_join(blog->arena, plan->select, &plan->next_alias, kind, assoc, 0);
    plan_attr(blog->arena, plan, attr(assoc->target, "id"), join->target);
    return render(blog, dialect, plan, error);
}

STATEMENT(join_one)         { return joined(blog, dialect, blog->post, JOIN_LEFT, blog->author, error); }
STATEMENT(join_two_left)    { return joined(blog, dialect, blog->post, JOIN_LEFT, blog->tags, error); }
STATEMENT(join_two_inner)   { return joined(blog, dialect, blog->post, JOIN_INNER, blog->tags, error); }

/* Rows that are marked as deleted are none, unless asked for. */
static struct statement *paranoid(struct blog *blog, const struct dialect *dialect, int deleted, struct error *error) {
    struct plan *plan = ids_of(blog, blog->user);
    int target;
    blog->post->deleted_at = attr(blog->post, "updatedAt");
    struct select *rows = walk_rows_deleted(blog->arena, &plan->next_alias, blog->posts, 0, &target, deleted);
    plan->select->qualified = true;
    select_where(blog->arena, plan->select, expr_exists(blog->arena, rows));
    return render(blog, dialect, plan, error);
}

STATEMENT(rows_there)       { return paranoid(blog, dialect, WALK_PRESENT, error); }
STATEMENT(rows_deleted)     { return paranoid(blog, dialect, WALK_DELETED_TARGET, error); }

/* User → posts → tags, each tag once. */
STATEMENT(targets_of_path) {
    struct plan *plan = ids_of(blog, blog->user);
    struct hop *hops = arena_array(blog->arena, struct hop, 3);
    struct assoc path = *blog->posts;
    int target;
    hops[0] = blog->posts->hops[0];
    hops[1] = blog->tags->hops[0];
    hops[2] = blog->tags->hops[1];
    path.hops = hops;
    path.hop_count = 3;
    path.target = blog->tag;
    struct select *rows = walk_targets(blog->arena, &plan->next_alias, &path, 0, &target, WALK_PRESENT);
    plan->select->qualified = true;
    select_where(blog->arena, plan->select, expr_exists(blog->arena, rows));
    return render(blog, dialect, plan, error);
}

/* -------------------------------------------------------------------------------------------------------- paths */

/* Posts whose path's last table has a condition; `to_many`: posts.tags, else post.author. */
static struct statement *followed(struct blog *blog, const struct dialect *dialect, const struct assoc *assoc, bool apart,
                                  const char *name, struct value value, struct error *error) {
    struct plan *plan = ids_of(blog, blog->post);
    struct path_base base = { plan->select, &plan->next_alias, 0, false, apart };
    struct path_row row = { NULL, false };
    struct select *in = plan->select;
    int alias = path_follow(blog->arena, &base, &row, &in, assoc, 0);
    const struct attr *last = attr(assoc->target, name);
    const struct expr *condition = expr_at(blog->arena, alias, expr_attr_is(blog->arena, last, value));
    if (value.kind != VALUE_NULL)
        condition = expr_operator(blog->arena, OP_EQ, expr_column(blog->arena, last, alias), expr_param(blog->arena, value));
    if (row.used) condition = path_row_condition(blog->arena, &base, &row, condition);
    select_where(blog->arena, plan->select, condition);
    return render(blog, dialect, plan, error);
}

static struct value word(const char *text) { return value_text(text, strlen(text)); }

STATEMENT(path_one)         { return followed(blog, dialect, blog->author, false, "name", word("x"), error); }
STATEMENT(path_one_apart)   { return followed(blog, dialect, blog->author, true, "name", word("x"), error); }
STATEMENT(path_many)        { return followed(blog, dialect, blog->tags, false, "word", word("x"), error); }
/* True of a missing row, too. */
STATEMENT(path_many_null)   { return followed(blog, dialect, blog->tags, false, "word", value_null(), error); }

/* Two paths of one table speak of one join. */
STATEMENT(path_twice) {
    struct plan *plan = ids_of(blog, blog->post);
    struct path_base base = { plan->select, &plan->next_alias, 0, false, false };
    struct select *in = plan->select;
    int first = path_follow(blog->arena, &base, NULL, &in, blog->author, 0);
    int second = path_follow(blog->arena, &base, NULL, &in, blog->author, 0);
    plan_attr(blog->arena, plan, attr(blog->user, "name"), first);
    plan_attr(blog->arena, plan, attr(blog->user, "age"), second);
    return render(blog, dialect, plan, error);
}

/* -------------------------------------------------------------------------------------------------------- steps */

static void set_keys(struct plan_step *step) {
    static const struct value keys[] = { { .kind = VALUE_INT, .as.integer = 1 }, { .kind = VALUE_INT, .as.integer = 2 } };
    step->keys->values = keys;
    step->keys->value_count = 2;
}

static struct statement *stepped(struct blog *blog, const struct dialect *dialect, const struct model *from,
                                 const struct assoc *assoc, struct error *error) {
    struct plan *plan = ids_of(blog, from);
    struct plan_step *step = plan_step(blog->arena, plan, 0, assoc);
    plan_attr(blog->arena, step->plan, attr(assoc->target, "id"), 0);
    plan_step_finish(blog->arena, step, plan);
    set_keys(step);
    return render(blog, dialect, step->plan, error);
}

STATEMENT(step_one_hop)     { return stepped(blog, dialect, blog->user, blog->posts, error); }
STATEMENT(step_two_hops)    { return stepped(blog, dialect, blog->post, blog->tags, error); }

/* Two levels below the call's own: where statements travel together, the lower one does without keys. */
static struct statement *chained(struct blog *blog, const struct dialect *dialect, bool cut, struct error *error) {
    struct plan *plan = ids_of(blog, blog->user);
    struct plan_step *above = plan_step(blog->arena, plan, 0, blog->posts);
    above->cut = cut;
    plan_attr(blog->arena, above->plan, attr(blog->post, "title"), 0);
    struct plan_step *step = plan_step(blog->arena, above->plan, 0, blog->tags);
    step->chain = plan_chain(above, dialect);
    plan_attr(blog->arena, step->plan, attr(blog->tag, "id"), 0);
    set_keys(step);
    plan_step_finish(blog->arena, step, above->plan);
    plan_step_finish(blog->arena, above, plan);
    set_keys(above);
    return render(blog, dialect, step->plan, error);
}

STATEMENT(step_chained)     { return chained(blog, dialect, false, error); }
STATEMENT(step_unchained)   { return chained(blog, dialect, true, error); }

STATEMENT(step_on) {
    struct plan *plan = ids_of(blog, blog->user);
    struct plan_step *step = plan_step_on(blog->arena, plan, 0, blog->posts);
    plan_step_set_on(step, expr_operator(blog->arena, OP_LT, expr_column(blog->arena, attr(blog->post, "id"), 0),
                                         expr_column(blog->arena, attr(blog->user, "age"), step->source)));
    plan_attr(blog->arena, step->plan, attr(blog->post, "id"), 0);
    plan_step_finish(blog->arena, step, plan);
    set_keys(step);
    return render(blog, dialect, step->plan, error);
}

/* The first two of each parent. */
static struct statement *cut(struct blog *blog, const struct dialect *dialect, const struct model *from,
                             const struct assoc *assoc, struct error *error) {
    struct plan *plan = ids_of(blog, from);
    struct plan_step *step = plan_step_limited(blog->arena, plan, 0, assoc);
    int target;
    struct select *rows = walk_rows(blog->arena, &step->plan->next_alias, assoc, step->source, &target);
    plan_order_by_key(blog->arena, rows, assoc->target, target);
    rows->limit = 2;
    plan_step_cut(blog->arena, step, rows, rows->alias, dialect->lateral != NULL);
    plan_attr(blog->arena, step->plan, attr(assoc->target, "id"), 0);
    plan_step_finish(blog->arena, step, plan);
    set_keys(step);
    return render(blog, dialect, step->plan, error);
}

STATEMENT(cut_one_hop)      { return cut(blog, dialect, blog->user, blog->posts, error); }
STATEMENT(cut_two_hops)     { return cut(blog, dialect, blog->post, blog->tags, error); }

/* --------------------------------------------------------------------------------------------------------- fans */

static int fan_node(struct blog *blog, struct plan *plan, int parent, const struct assoc *assoc, int near) {
    struct join *join = walk_join(blog->arena, plan->select, &plan->next_alias, JOIN_LEFT, assoc, near);
    int node = plan_node(blog->arena, plan, assoc->target, parent, assoc->name);
    plan->nodes[node].alias = join->target;
    plan->nodes[node].assoc = assoc;
    plan_attr(blog->arena, plan, attr(assoc->target, "id"), join->target);
    plan_fan(blog->arena, plan, node, join);
    const struct order_term *before = plan->select->order;
    plan->select->order = NULL;
    plan_fan_order(blog->arena, plan, node, join, before);
    return node;
}

STATEMENT(fan) {
    struct plan *plan = plan_new(blog->arena, blog->user);
    plan_attr(blog->arena, plan, attr(blog->user, "name"), 0);
    fan_node(blog, plan, 0, blog->posts, 0);
    plan_fan_finish(blog->arena, plan);
    return render(blog, dialect, plan, error);
}

/* The limit counts users; what the order needs is in both selects, the lists are not. */
STATEMENT(fan_limited) {
    struct plan *plan = ids_of(blog, blog->user);
    struct order_term *order = NULL;
    order_add(blog->arena, &order, expr_column(blog->arena, attr(blog->user, "name"), ALIAS_HERE));
    plan->select->order = order;
    plan->select->limit = 3;
    select_where(blog->arena, plan->select, expr_attr_is(blog->arena, attr(blog->user, "age"), value_int(5)));
    int posts = fan_node(blog, plan, 0, blog->posts, 0);
    fan_node(blog, plan, posts, blog->tags, plan->nodes[posts].alias);
    plan_fan_finish(blog->arena, plan);
    return render(blog, dialect, plan, error);
}

static void test_hindrances(struct arena *arena) {
    struct blog blog;
    blog_init(&blog, arena);
    struct plan *plan = ids_of(&blog, blog.user), *links = ids_of(&blog, blog.post);
    CHECK(!plan_fan_hindrance(plan, 0, blog.posts), "a list may be joined");
    int posts = fan_node(&blog, plan, 0, blog.posts, 0), tags = fan_node(&blog, links, 0, blog.tags, 0);
    CHECK(plan->fan == posts && plan->nodes[0].identity && plan->nodes[posts].identity_parts == 1,
          "parents and children are known by their keys");
    CHECK(links->nodes[tags].identity_parts == 2, "targets over a junction by their links");
    CHECK(plan_fan_hindrance(plan, 0, blog.posts) != NULL, "a second one beside it may not");
    CHECK(!plan_fan_hindrance(plan, posts, blog.tags), "one below it may");
    struct plan *grouped = ids_of(&blog, blog.post), *locked = ids_of(&blog, blog.post);
    grouped->select->distinct = true;
    locked->select->lock = LOCK_UPDATE;
    CHECK(plan_fan_hindrance(grouped, 0, blog.tags) && plan_fan_hindrance(locked, 0, blog.tags), "nor in such selects");
    blog.post->key.count = 0;
    CHECK(plan_fan_hindrance(ids_of(&blog, blog.post), 0, blog.tags) != NULL, "nor where parents have no key");
}

static const struct sql_case cases[] = {
    { "join", join_one,
      "SELECT t0.`id`, t1.`id` FROM `posts` AS t0 LEFT OUTER JOIN `users` AS t1 ON t1.`id` = t0.`user_id`",
      NULL },
    { "outer join of two hops", join_two_left,
      "SELECT t0.`id`, t2.`id` FROM `posts` AS t0 LEFT OUTER JOIN (`post_tags` AS t1 INNER JOIN `tags` AS t2 ON (t2.`id` ="
      " t1.`tagId`) AND t2.`kind` = ?) ON t1.`postId` = t0.`id` | 'post'",
      NULL },
    { "inner join of two hops", join_two_inner,
      "SELECT t0.`id`, t2.`id` FROM `posts` AS t0 INNER JOIN `post_tags` AS t1 ON t1.`postId` = t0.`id` INNER JOIN `tags`"
      " AS t2 ON (t2.`id` = t1.`tagId`) AND t2.`kind` = ? | 'post'",
      NULL },
    { "rows that are there", rows_there,
      "SELECT t0.`id` FROM `users` AS t0 WHERE EXISTS (SELECT 1 FROM `posts` AS t1 WHERE (t1.`user_id` = t0.`id`) AND"
      " t1.`updatedAt` IS NULL)",
      NULL },
    { "rows that are marked as deleted, too", rows_deleted,
      "SELECT t0.`id` FROM `users` AS t0 WHERE EXISTS (SELECT 1 FROM `posts` AS t1 WHERE t1.`user_id` = t0.`id`)",
      NULL },
    { "targets of a path", targets_of_path,
      "SELECT t0.`id` FROM `users` AS t0 WHERE EXISTS (SELECT 1 FROM `tags` AS t1 WHERE t1.`id` IN (SELECT t3.`tagId` FROM"
      " `posts` AS t2 INNER JOIN `post_tags` AS t3 ON t3.`postId` = t2.`id` WHERE t2.`user_id` = t0.`id`) AND t1.`kind` = ?)"
      " | 'post'",
      NULL },
    { "a path to one row", path_one,
      "SELECT t0.`id` FROM `posts` AS t0 LEFT OUTER JOIN `users` AS t1 ON t1.`id` = t0.`user_id` WHERE t1.`name` = ? | 'x'",
      NULL },
    { "a path to one row, apart", path_one_apart,
      "SELECT t0.`id` FROM `posts` AS t0 WHERE EXISTS (SELECT 1 FROM `users` AS t2 WHERE (t2.`id` = t0.`user_id`) AND"
      " t2.`name` = ?) | 'x'",
      NULL },
    { "a path to several rows", path_many,
      "SELECT t0.`id` FROM `posts` AS t0 WHERE EXISTS (SELECT 1 FROM `post_tags` AS t2 INNER JOIN `tags` AS t3 ON (t3.`id`"
      " = t2.`tagId`) AND t3.`kind` = ? WHERE (t2.`postId` = t0.`id`) AND t3.`word` = ?) | 'post', 'x'",
      NULL },
    { "a path to several rows or none", path_many_null,
      "SELECT t0.`id` FROM `posts` AS t0 WHERE EXISTS (SELECT 1 FROM (SELECT 1) AS t1 LEFT OUTER JOIN (`post_tags` AS t2"
      " INNER JOIN `tags` AS t3 ON (t3.`id` = t2.`tagId`) AND t3.`kind` = ?) ON t2.`postId` = t0.`id` WHERE t3.`word` IS"
      " NULL) | 'post'",
      NULL },
    { "two paths over one row", path_twice,
      "SELECT t0.`id`, t1.`name`, t1.`age` FROM `posts` AS t0 LEFT OUTER JOIN `users` AS t1 ON t1.`id` = t0.`user_id`",
      NULL },
    { "a step", step_one_hop,
      "SELECT `id`, `user_id` FROM `posts` WHERE `user_id` IN (?, ?) ORDER BY `user_id`, `id` | 1, 2",
      "SELECT `id`, `user_id` FROM `posts` WHERE `user_id` = ANY ($1) ORDER BY `user_id`, `id` | [1,2]" },
    { "a step over a junction", step_two_hops,
      "SELECT t0.`id`, t1.`postId` FROM `post_tags` AS t1 CROSS JOIN `tags` AS t0 ON t0.`id` = t1.`tagId` WHERE"
      " t1.`postId` IN (?, ?) AND t0.`kind` = ? ORDER BY t1.`postId`, t1.`tagId`, t0.`id` | 1, 2, 'post'",
      "SELECT t0.`id`, t1.`postId` FROM `post_tags` AS t1 INNER JOIN `tags` AS t0 ON t0.`id` = t1.`tagId` WHERE"
      " t1.`postId` = ANY ($1) AND t0.`kind` = $2 ORDER BY t1.`postId`, t1.`tagId`, t0.`id` | [1,2], 'post'" },
    { "a step below a step", step_chained,
      "SELECT t0.`id`, t1.`postId` FROM `post_tags` AS t1 CROSS JOIN `tags` AS t0 ON t0.`id` = t1.`tagId` WHERE"
      " t1.`postId` IN (?, ?) AND t0.`kind` = ? ORDER BY t1.`postId`, t1.`tagId`, t0.`id` | 1, 2, 'post'",
      "SELECT t0.`id`, t1.`postId` FROM `post_tags` AS t1 INNER JOIN `tags` AS t0 ON t0.`id` = t1.`tagId` WHERE"
      " t1.`postId` = ANY (ARRAY(SELECT t0.`id` FROM `posts` AS t0 WHERE t0.`user_id` = ANY ($1))) AND t0.`kind` = $2"
      " ORDER BY t1.`postId`, t1.`tagId`, t0.`id` | [1,2], 'post'" },
    { "a step below one that is cut", step_unchained,
      "SELECT t0.`id`, t1.`postId` FROM `post_tags` AS t1 CROSS JOIN `tags` AS t0 ON t0.`id` = t1.`tagId` WHERE"
      " t1.`postId` IN (?, ?) AND t0.`kind` = ? ORDER BY t1.`postId`, t1.`tagId`, t0.`id` | 1, 2, 'post'",
      "SELECT t0.`id`, t1.`postId` FROM `post_tags` AS t1 INNER JOIN `tags` AS t0 ON t0.`id` = t1.`tagId` WHERE"
      " t1.`postId` = ANY ($1) AND t0.`kind` = $2 ORDER BY t1.`postId`, t1.`tagId`, t0.`id` | [1,2], 'post'" },
    { "a step with a condition of its own", step_on,
      "SELECT t0.`id`, t1.`id` FROM `users` AS t1 INNER JOIN `posts` AS t0 ON t0.`id` < t1.`age` WHERE t1.`id` IN (?, ?)"
      " ORDER BY t1.`id`, t0.`id` | 1, 2",
      "SELECT t0.`id`, t1.`id` FROM `users` AS t1 INNER JOIN `posts` AS t0 ON t0.`id` < t1.`age` WHERE t1.`id` = ANY ($1)"
      " ORDER BY t1.`id`, t0.`id` | [1,2]" },
    { "a step that is cut", cut_one_hop,
      "SELECT t0.`id`, t2.`id` FROM (SELECT t1.`id` FROM `users` AS t1 WHERE t1.`id` IN (?, ?)) AS t2 CROSS JOIN `posts`"
      " AS t0 ON t0.`id` IN (SELECT t3.`id` FROM `posts` AS t3 WHERE t3.`user_id` = t2.`id` ORDER BY t3.`id` LIMIT ?)"
      " ORDER BY t2.`id`, t0.`id` | 1, 2, 2",
      "SELECT t0.`id`, t2.`id` FROM (SELECT t1.`id` FROM `users` AS t1 WHERE t1.`id` = ANY ($1)) AS t2 INNER JOIN LATERAL"
      " (SELECT t3.`id`, t3.`headline`, t3.`status`, t3.`user_id`, t3.`updatedAt` FROM `posts` AS t3 WHERE t3.`user_id` ="
      " t2.`id` ORDER BY t3.`id` LIMIT $2) AS t0 ON 1 = 1 ORDER BY t2.`id`, t0.`id` | [1,2], 2" },
    { "a step over a junction that is cut", cut_two_hops,
      "SELECT t0.`id`, t2.`id` FROM (SELECT t1.`id` FROM `posts` AS t1 WHERE t1.`id` IN (?, ?)) AS t2 CROSS JOIN"
      " `post_tags` AS t5 ON (t5.`postId`, t5.`tagId`) IN (SELECT t3.`postId`, t3.`tagId` FROM `post_tags` AS t3 INNER"
      " JOIN `tags` AS t4 ON (t4.`id` = t3.`tagId`) AND t4.`kind` = ? WHERE t3.`postId` = t2.`id` ORDER BY t4.`id` LIMIT"
      " ?) CROSS JOIN `tags` AS t0 ON t0.`id` = t5.`tagId` ORDER BY t2.`id`, t5.`tagId`, t0.`id`, t5.`postId` | 1, 2,"
      " 'post', 2",
      "SELECT t0.`id`, t2.`id` FROM (SELECT t1.`id` FROM `posts` AS t1 WHERE t1.`id` = ANY ($1)) AS t2 INNER JOIN LATERAL"
      " (SELECT t3.`postId`, t3.`tagId`, t3.`note` FROM `post_tags` AS t3 INNER JOIN `tags` AS t4 ON (t4.`id` ="
      " t3.`tagId`) AND t4.`kind` = $2 WHERE t3.`postId` = t2.`id` ORDER BY t4.`id` LIMIT $3) AS t5 ON 1 = 1 INNER JOIN"
      " `tags` AS t0 ON t0.`id` = t5.`tagId` ORDER BY t2.`id`, t5.`tagId`, t0.`id`, t5.`postId` | [1,2], 'post', 2" },
    { "a joined list", fan,
      "SELECT t0.`name`, t1.`id`, t0.`id` FROM `users` AS t0 LEFT OUTER JOIN `posts` AS t1 ON t1.`user_id` = t0.`id` ORDER"
      " BY t0.`id`, t1.`id`",
      NULL },
    { "joined lists with a limit", fan_limited,
      "SELECT t0.`id`, t1.`id`, t3.`id`, t2.`postId`, t2.`tagId` FROM `users` AS t0 LEFT OUTER JOIN `posts` AS t1 ON"
      " t1.`user_id` = t0.`id` LEFT OUTER JOIN (`post_tags` AS t2 INNER JOIN `tags` AS t3 ON (t3.`id` = t2.`tagId`) AND"
      " t3.`kind` = ?) ON t2.`postId` = t1.`id` WHERE t0.`id` IN (SELECT t0.`id` FROM `users` AS t0 WHERE t0.`age` = ?"
      " ORDER BY t0.`name` NULLS LAST, t0.`id` LIMIT ?) ORDER BY t0.`name` NULLS LAST, t0.`id`, t1.`id`, t3.`id`,"
      " t2.`postId`, t2.`tagId` | 'post', 5, 3",
      "SELECT t0.`id`, t1.`id`, t3.`id`, t2.`postId`, t2.`tagId` FROM `users` AS t0 LEFT OUTER JOIN `posts` AS t1 ON"
      " t1.`user_id` = t0.`id` LEFT OUTER JOIN (`post_tags` AS t2 INNER JOIN `tags` AS t3 ON (t3.`id` = t2.`tagId`) AND"
      " t3.`kind` = $1) ON t2.`postId` = t1.`id` WHERE t0.`id` IN (SELECT t0.`id` FROM `users` AS t0 WHERE t0.`age` = $2"
      " ORDER BY t0.`name`, t0.`id` LIMIT $3) ORDER BY t0.`name`, t0.`id`, t1.`id`, t3.`id`, t2.`postId`, t2.`tagId` |"
      " 'post', 5, 3" },
};

int main(void) {
    struct arena arena;
    arena_init(&arena, fault_unexpected, NULL);
    RUN_CASES(cases);
    test_hindrances(&arena);
    arena_free(&arena);
    return check_done();
}
