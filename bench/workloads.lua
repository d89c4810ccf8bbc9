--- The workloads: one row each. A new one is a row here, one in the floor and one in every file of peers/.
---
--- count   what the program is told: how many rows, searches or users; `quick` in a quick run
--- rows    how many rows it must have read or written, as a multiple of count
--- writes  the table it writes; its contents are compared afterwards
--- goal    for each engine, the highest ratio to the floor that is wanted of liga
return {
  { name = "W1", title = "load 100,000 users, read 3 fields of each",
    count = 100000, quick = 100000, rows = 1, goal = { sqlite = 4.0, postgres = 2.2 } },
  { name = "W2", title = "10,000 lookups by key",
    count = 10000, quick = 1000, rows = 1, goal = { sqlite = 1.4, postgres = 1.1 } },
  { name = "W3", title = "5,000 searches: two conditions, order, limit 20",
    count = 5000, quick = 500, rows = 20, goal = { sqlite = 1.8, postgres = 1.2 } },
  { name = "W4", title = "10,000 creates one by one, one transaction",
    count = 10000, quick = 1000, rows = 1, writes = "users", goal = { sqlite = 1.6, postgres = 1.1 } },
  { name = "W5", title = "bulk create of 100,000, keys handed back",
    count = 100000, quick = 10000, rows = 1, writes = "users", goal = { sqlite = 1.6, postgres = 1.0 } },
  { name = "W6", title = "1,000 users with 10 posts each with 5 comments each, eagerly",
    count = 1000, quick = 100, rows = 61, goal = { sqlite = 2.4, postgres = 2.2 } },
  { name = "W7", title = "5,000 posts with 4 tags each and author, eagerly",
    count = 5000, quick = 500, rows = 6, goal = { sqlite = 2.2, postgres = 2.2 } },
  { name = "W8", title = "the posts of each of 1,000 users, one by one",
    count = 1000, quick = 100, rows = 10, goal = { sqlite = 2.0, postgres = 1.4 } },
  { name = "W9", title = "load 10,000 users, change and save each, one transaction",
    count = 10000, quick = 1000, rows = 1, writes = "users", goal = { sqlite = 1.6, postgres = 1.1 } },
  { name = "W10", title = "add 10,000 tags to posts one by one, one transaction",
    count = 10000, quick = 1000, rows = 1, writes = "post_tags", goal = { sqlite = 1.3, postgres = 1.1 } },
}
