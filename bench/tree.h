/* What the floors do with rows of several tables once they are read: link them by their keys and walk through the whole. */
#ifndef BENCH_TREE_H
#define BENCH_TREE_H

#include "floor.h"

/* The keys at an offset of the rows as a list "<open>1,2,3<close>", which the caller frees; one that follows itself stands there
 * once. */
char *tree_keys(const struct rows *rows, size_t offset, char open, char close);

/* Links posts to their users and comments to their posts, and adds all that can be reached. */
void outcome_add_users_tree(struct outcome *outcome, const struct rows *users, const struct rows *posts,
                            const struct rows *comments);

/* Links authors and tags to the posts that have them, and adds all that can be reached: an author once for each post. */
void outcome_add_posts_tree(struct outcome *outcome, const struct rows *posts, const struct rows *authors,
                            const struct rows *tags);

#endif
