"""What happens at once in a Redis, as Lua: a prediction is written or a label waits for it, never neither.

All names begin with ARGV[1]. Predictions lie in slices of time, and in each in 1,024 hashes by the first bits of their key, which
are so short that Redis packs them.
"""

from typing import Final

_BUCKET: Final = """
local P = ARGV[1]
local function bucket(key) return string.byte(key, 1) * 4 + math.floor(string.byte(key, 2) / 64) end
"""

WRITE: Final = (
    _BUCKET
    + """
-- prefix, slice, seconds to expire, keys, records, bytes of one, orphans now, orphans before, entities, moments, most about one entity,
-- other keys, cells; then each cell (hash, field, count), each piece of the sample (where, records, where it is counted, level, count)
local keys, records, width = ARGV[4], ARGV[5], tonumber(ARGV[6])
local entities, moments, most = ARGV[9], ARGV[10], tonumber(ARGV[11]) * 24
local now, before = P .. 'o:' .. ARGV[7], P .. 'o:' .. ARGV[8]
local others, none = ARGV[12], string.rep('\\0', 16)
local is_awaited = redis.call('EXISTS', now, before) > 0
local found, written = {}, 0
redis.call('ZADD', P .. 'slices', ARGV[2], ARGV[2])
for i = 0, #keys / 16 - 1 do
  local key = string.sub(keys, i * 16 + 1, i * 16 + 16)
  local home = P .. 'r:' .. ARGV[2] .. ':' .. bucket(key)
  written = written + redis.call('HSET', home, key, string.sub(records, i * width + 1, i * width + width))
  if redis.call('TTL', home) < 0 then redis.call('EXPIRE', home, ARGV[3]) end
  if #entities > 0 then
    local entity = string.sub(entities, i * 16 + 1, i * 16 + 16)
    local place = P .. 'y:' .. ARGV[2] .. ':' .. bucket(entity)
    local about = (redis.call('HGET', place, entity) or '') .. string.sub(moments, i * 8 + 1, i * 8 + 8) .. key
    redis.call('HSET', place, entity, string.sub(about, -most))
    if redis.call('TTL', place) < 0 then redis.call('EXPIRE', place, ARGV[3]) end
  end
  local known = {key}
  if #others > 0 then
    local other = string.sub(others, i * 16 + 1, i * 16 + 16)
    if other ~= none then
      known[2] = other
      local place = P .. 'x:' .. ARGV[2] .. ':' .. bucket(other)
      redis.call('HSET', place, other, key)
      if redis.call('TTL', place) < 0 then redis.call('EXPIRE', place, ARGV[3]) end
    end
  end
  if is_awaited then
    for _, each in ipairs(known) do
      local label = redis.call('HGET', before, each) or redis.call('HGET', now, each)
      if label then found[#found + 1] = i; found[#found + 1] = label end
    end
  end
end
local bytes = width + 24 + (#entities > 0 and 48 or 0) + (#others > 0 and 40 or 0)
redis.call('HINCRBY', P .. 'bytes', ARGV[2], written * bytes)
redis.call('HINCRBY', P .. 'rows', ARGV[2], written)
-- Where all of it is here already, it is sent again after an answer that was lost.
if written > 0 then
  local pieces = 14 + 3 * tonumber(ARGV[13])
  for i = 14, pieces - 1, 3 do
    redis.call('HINCRBY', ARGV[i], ARGV[i + 1], ARGV[i + 2])
    redis.call('EXPIRE', ARGV[i], ARGV[3])
  end
  for i = pieces, #ARGV, 5 do
    local sampled = tonumber(ARGV[i + 4])
    local size = #ARGV[i + 1] / sampled
    for j = 0, sampled - 1 do
      local record = string.sub(ARGV[i + 1], j * size + 1, j * size + size)
      redis.call('HSET', ARGV[i], string.sub(record, 1, 16), string.sub(record, 17))
    end
    redis.call('HINCRBY', ARGV[i + 2], ARGV[i + 3], ARGV[i + 4])
    redis.call('HINCRBY', P .. 'bytes', ARGV[2], #ARGV[i + 1] + 40 * sampled)
    redis.call('EXPIRE', ARGV[i], ARGV[3])
    redis.call('EXPIRE', ARGV[i + 2], ARGV[3])
  end
end
return found
"""
)
"""Predictions of one slice; numbers of those whose labels were here before them, each with its label."""

FIND: Final = (
    _BUCKET
    + """
-- prefix, orphans now, seconds that they wait, most of them; then each key with its label, empty: it does not wait
local slices = redis.call('ZREVRANGE', P .. 'slices', 0, -1)
local orphans, lost, found = P .. 'o:' .. ARGV[2], 0, {}
for i = 5, #ARGV, 2 do
  local key, record, first = ARGV[i], false, false
  for _, slice in ipairs(slices) do
    record, first = redis.call('HGET', P .. 'r:' .. slice .. ':' .. bucket(key), key), key
    if record then break end
    first = redis.call('HGET', P .. 'x:' .. slice .. ':' .. bucket(key), key)
    if first then
      record = redis.call('HGET', P .. 'r:' .. slice .. ':' .. bucket(first), first)
      if record then break end
    end
  end
  if not record and #ARGV[i + 1] > 0 then
    if redis.call('HLEN', orphans) < tonumber(ARGV[4]) then
      redis.call('HSETNX', orphans, key, ARGV[i + 1])
      redis.call('EXPIRE', orphans, ARGV[3])
    else
      lost = lost + 1
    end
  end
  found[#found + 1] = record
  found[#found + 1] = record and first
end
found[#found + 1] = lost
return found
"""
)
"""The record of each key, the newest of several, and its first key; last how many labels could not wait."""

KNOWN: Final = (
    _BUCKET
    + """
-- prefix, model; then each slice with a key
local found = {redis.call('GET', P .. 'implied:' .. ARGV[2])}
for i = 3, #ARGV, 2 do
  found[#found + 1] = redis.call('HGET', P .. 'l:' .. ARGV[i] .. ':' .. bucket(ARGV[i + 1]), ARGV[i + 1])
end
return found
"""
)
"""The moment before which all is decided, as text, and the label that each key has."""

COMMIT: Final = (
    _BUCKET
    + """
-- prefix, model, implied before: as known, from now on (empty: as it is); number of now, sets, cells, labels;
-- then each set (its layout, rows, content), each cell (slice, field, count, seconds to expire), each label (slice, key, value, seconds to expire)
local known = redis.call('GET', P .. 'implied:' .. ARGV[2]) or ''
if known ~= ARGV[3] then return -1 end
local sets, cells, labels = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local at = 9 + 3 * sets + 4 * cells
for i = at, at + 4 * labels - 1, 4 do
  if redis.call('HEXISTS', P .. 'l:' .. ARGV[i] .. ':' .. bucket(ARGV[i + 1]), ARGV[i + 1]) == 1 then return -1 end
end
for i = at, at + 4 * labels - 1, 4 do
  if #ARGV[i + 2] > 0 then
    local home = P .. 'l:' .. ARGV[i] .. ':' .. bucket(ARGV[i + 1])
    redis.call('HSET', home, ARGV[i + 1], ARGV[i + 2])
    redis.call('HINCRBY', P .. 'bytes', ARGV[i], 32)
    redis.call('ZADD', P .. 'slices', ARGV[i], ARGV[i])
    if redis.call('TTL', home) < 0 then redis.call('EXPIRE', home, ARGV[i + 3]) end
  end
end
if #ARGV[4] > 0 then redis.call('SET', P .. 'implied:' .. ARGV[2], ARGV[4]) end
local number = math.max(tonumber(redis.call('GET', P .. 'next') or '0'), tonumber(ARGV[5]))
for i = 9, 8 + 3 * sets, 3 do
  local stop = number + tonumber(ARGV[i + 1])
  redis.call('ZADD', P .. 'met', string.format('%.0f', stop),
    string.format('%.0f', number) .. ' ' .. ARGV[i + 1] .. ' ' .. ARGV[i] .. ' ' .. ARGV[i + 2])
  number = stop
end
redis.call('SET', P .. 'next', string.format('%.0f', number))
for i = 9 + 3 * sets, at - 1, 4 do
  local home = P .. 'c:' .. ARGV[2] .. ':' .. ARGV[i]
  redis.call('HINCRBY', home, ARGV[i + 1], ARGV[i + 2])
  if redis.call('TTL', home) < 0 then redis.call('EXPIRE', home, ARGV[i + 3]) end
end
return 0
"""
)
"""Labels, what they joined, and counts: all, or nothing and -1 where another process changed what was known."""

LAYOUT: Final = """
local P = ARGV[1]
local id = redis.call('HGET', P .. 'layout_ids', ARGV[2])
if not id then
  id = redis.call('HLEN', P .. 'layout_ids') + 1
  redis.call('HSET', P .. 'layout_ids', ARGV[2], id)
  redis.call('HSET', P .. 'layouts', id, ARGV[2])
end
return tonumber(id)
"""
"""The number of a layout, given to it where it has none."""

COUNTS: Final = """
-- prefix; then the names of hashes
local found = {}
for i = 2, #ARGV do
  local fields = redis.call('HGETALL', ARGV[i])
  if #fields > 0 then found[#found + 1] = table.concat(fields, ' ') end
end
return table.concat(found, ' ')
"""
"""All fields and counts of hashes in one text: clients take long to read each by itself."""
