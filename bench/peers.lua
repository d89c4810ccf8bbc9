--- The peers: one row each. The first is the floor that the others are compared with.
---
--- program  for each engine, the program of a peer in C, in the build folder
--- module   for each engine, the C module that a peer in Lua needs; its workloads are in peers/<name>.lua
return {
  { name = "c", program = { sqlite = "c_sqlite" } },
  { name = "luasql", module = { sqlite = "luasql.sqlite3" } },
  { name = "luadbi", module = { sqlite = "dbd.sqlite3" } },
  { name = "liga", module = { sqlite = "liga.core" } },
}
