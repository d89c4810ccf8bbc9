--- The peers: one row each. The first is the floor that the others are compared with.
---
--- program  for each engine, the program of a peer in C, in the build folder
--- module   for each engine, the C module that a peer in Lua needs; its workloads are in peers/<name>.lua
--- built    for each engine, the same of a module that is built with the floors
return {
  { name = "c", program = { sqlite = "c_sqlite", postgres = "c_postgres" } },
  { name = "bare", built = { sqlite = "bare.so" } },
  { name = "luasql", module = { sqlite = "luasql.sqlite3", postgres = "luasql.postgres" } },
  { name = "luadbi", module = { sqlite = "dbd.sqlite3", postgres = "dbd.postgresql" } },
  { name = "liga", module = { sqlite = "liga.sqlite", postgres = "liga.postgres" } },
}
