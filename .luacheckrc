std = "lua54"
max_line_length = 120
include_files = { "**/*.lua", "bin/liga", "rockspec/*", "rockspec/sqlite/*", ".luacheckrc", ".busted" }
exclude_files = { "build*/**" }

files["docs/reference"] = { ignore = { "212" } }          -- functions without bodies: what LDoc reads
files["spec"] = { std = "+busted" }
files["rockspec"] = { std = "+rockspec" }
files[".luacheckrc"] = { std = "+luacheckrc" }
