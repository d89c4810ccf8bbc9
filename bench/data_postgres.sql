-- The data on PostgreSQL: the tables of data_sqlite.c with the rows of its file, whose path is in BENCH_DATA.
CREATE TABLE users (id bigserial PRIMARY KEY, name text NOT NULL, email text NOT NULL, age integer NOT NULL,
  score double precision NOT NULL, bio text NOT NULL, created_at timestamptz NOT NULL, active boolean NOT NULL);
CREATE TABLE posts (id bigserial PRIMARY KEY, user_id bigint NOT NULL, title text NOT NULL, body text NOT NULL,
  created_at timestamptz NOT NULL);
CREATE TABLE comments (id bigserial PRIMARY KEY, post_id bigint NOT NULL, author_id bigint NOT NULL,
  text text NOT NULL);
CREATE TABLE tags (id bigserial PRIMARY KEY, name text NOT NULL);
-- The primary key is the index on post_id.
CREATE TABLE post_tags (post_id bigint NOT NULL, tag_id bigint NOT NULL, PRIMARY KEY (post_id, tag_id));

\copy users FROM PROGRAM 'sqlite3 -tabs "$BENCH_DATA" "SELECT * FROM users"'
\copy posts FROM PROGRAM 'sqlite3 -tabs "$BENCH_DATA" "SELECT * FROM posts"'
\copy comments FROM PROGRAM 'sqlite3 -tabs "$BENCH_DATA" "SELECT * FROM comments"'
\copy tags FROM PROGRAM 'sqlite3 -tabs "$BENCH_DATA" "SELECT * FROM tags"'
\copy post_tags FROM PROGRAM 'sqlite3 -tabs "$BENCH_DATA" "SELECT * FROM post_tags"'

CREATE INDEX users_score ON users (score);
CREATE INDEX posts_user_id ON posts (user_id);
CREATE INDEX comments_post_id ON comments (post_id);
CREATE INDEX comments_author_id ON comments (author_id);
CREATE INDEX post_tags_tag_id ON post_tags (tag_id);
SELECT setval('users_id_seq', max(id)) FROM users \g /dev/null
SELECT setval('posts_id_seq', max(id)) FROM posts \g /dev/null

VACUUM ANALYZE;
CHECKPOINT;
