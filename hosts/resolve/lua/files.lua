-- ArtifexPro in DaVinci Resolve, for where Python scripts are closed: the free edition since 21.1.
--
-- This script opens no socket and needs nothing but io and os. It carries out orders that lie as files in a folder,
-- written by a companion process of ours that speaks to the daemon, and answers in files beside them. Each order is one
-- of the verbs below; nothing else that is written there is ever done.
--
-- From Workspace > Scripts it works until a file "artifexpro.stop" lies in the folder or Resolve closes. The Console's
-- edition of it gives the table `artifexpro` instead: docs/resolve.md has an example.

local FOLDER = "@FOLDER@" -- written by the installer, and so are the next three
local PYTHON = "@PYTHON@"
local HOME = "@HOME@"
local PROGRAM = "@PROGRAM@"

local BIN, MARKER_COLOR, CLIP_COLOR = "ArtifexPro", "Purple", "Violet"
local KEEPER = "ArtifexPro keeps your render settings"
local END = "\n--whole\n" -- the last line of each file: one without it is still being written
local PAUSE = 0.1
local STALE = 10
local PANEL = 60 -- seconds in which a window has to be there

-------------------------------------------------------------------------------- JSON

local LIST = {}
local function list(items) return setmetatable(items or {}, LIST) end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(c) return ESCAPES[c] or string.format("\\u%04x", c:byte()) end) .. '"'
end

local function encode(value)
  local kind = type(value)
  if kind == "string" then return quoted(value) end
  if kind == "number" then return string.format(value % 1 == 0 and math.abs(value) < 2 ^ 53 and "%d" or "%.17g", value) end
  if kind ~= "table" then return tostring(value) end
  local parts, names = {}, 0
  for _ in pairs(value) do names = names + 1 end
  if getmetatable(value) == LIST or (names > 0 and names == #value) then
    for i = 1, #value do parts[i] = encode(value[i]) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for name, each in pairs(value) do parts[#parts + 1] = quoted(tostring(name)) .. ":" .. encode(each) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function utf8(code)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then
    return string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
  end
  return string.char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64,
    0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

local UNESCAPED = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local function decode_text(text, at)
  local parts = {}
  while true do
    local from, to, plain, mark = text:find('^([^"\\]*)(["\\])', at)
    if not from then error("a text without an end") end
    parts[#parts + 1] = plain
    at = to + 1
    if mark == '"' then return table.concat(parts), at end
    local letter = text:sub(at, at)
    if letter == "u" then
      local code = tonumber(text:sub(at + 1, at + 4), 16)
      at = at + 5
      if code >= 0xD800 and code < 0xDC00 and text:sub(at, at + 1) == "\\u" then
        code = 0x10000 + (code - 0xD800) * 1024 + tonumber(text:sub(at + 2, at + 5), 16) - 0xDC00
        at = at + 6
      end
      parts[#parts + 1] = utf8(code)
    else
      parts[#parts + 1] = UNESCAPED[letter] or letter
      at = at + 1
    end
  end
end

local decode_at
local function decode_many(text, at, close, keyed)
  local found = keyed and {} or list()
  at = text:find("%S", at)
  if text:sub(at, at) == close then return found, at + 1 end
  while true do
    local key = #found + 1
    if keyed then
      key, at = decode_at(text, at)
      at = text:match("^%s*:()", at) or error("a name without a value")
    end
    found[key], at = decode_at(text, at)
    local mark, after = text:match("^%s*([,%" .. close .. "])()", at)
    if mark == close then return found, after end
    at = mark and after or error("a list without an end")
  end
end

decode_at = function(text, at)
  at = text:find("%S", at) or error("nothing there")
  local first = text:sub(at, at)
  if first == "{" then return decode_many(text, at + 1, "}", true) end
  if first == "[" then return decode_many(text, at + 1, "]", false) end
  if first == '"' then return decode_text(text, at + 1) end
  local word, after = text:match("^([%w%.%+%-]+)()", at)
  if word == "true" then return true, after end
  if word == "false" then return false, after end
  if word == "null" then return nil, after end
  return tonumber(word) or error("no value: " .. tostring(word)), after
end

local function decode(text) return (decode_at(text, 1)) end

-------------------------------------------------------------------------------- files

local function read(name)
  local file = io.open(FOLDER .. "/" .. name, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  if text:sub(-#END) ~= END then return nil end
  local fine, value = pcall(decode, text:sub(1, -#END - 1))
  return fine and value or nil
end

local function write(name, value)
  local file, why = io.open(FOLDER .. "/" .. name, "wb")
  if not file then
    error("Attempted to write to ArtifexPro's folder. Failed because " .. tostring(why)
      .. ". Try artifexpro host doctor resolve in a terminal.", 0)
  end
  file:write(encode(value), END)
  file:close()
end
