-------------------------------------------------------------------------------- working

local function pause(seconds)
  if bmd and bmd.wait then return bmd.wait(seconds) end
  if ffi and ffi.os == "Windows" then
    pcall(ffi.cdef, "void Sleep(int);")
    return ffi.C.Sleep(seconds * 1000)
  end
  if ffi then
    pcall(ffi.cdef, "int poll(void *, unsigned long, int);")
    return ffi.C.poll(nil, 0, seconds * 1000)
  end
  local til = os.clock() + seconds
  while os.clock() < til do end
end

local function companion() return read("companion.json") end

local function companion_lives()
  local seen = companion()
  return seen ~= nil and os.time() - seen.time < STALE
end

-- Told apart from a file that is being written at this moment.
local function companion_ended()
  local seen = companion()
  return seen ~= nil and os.time() - seen.time >= STALE
end

-- Start the process of ours that works with this script, if none lives, and wait for it so many seconds, or until it
-- has left word that it came up or why it cannot. Gives whether it lives, and that word.
local function start_companion(seconds, ...)
  if companion_lives() then return true end
  if not (os.execute and PYTHON ~= "") then return false end
  local words, began = { "-m", PROGRAM, "--mail", FOLDER, "--home", HOME, ... }, os.time()
  if os.getenv("OS") == "Windows_NT" then
    for i, word in ipairs(words) do words[i] = '"' .. word .. '"' end
    os.execute('start "" /b "' .. PYTHON .. '" ' .. table.concat(words, " "))
  else
    for i, word in ipairs(words) do words[i] = "'" .. word:gsub("'", "'\\''") .. "'" end
    os.execute("'" .. PYTHON:gsub("'", "'\\''") .. "' " .. table.concat(words, " ") .. " >/dev/null 2>&1 &")
  end
  while os.time() < began + seconds do
    if companion_lives() then return true end
    local news = read("news.json")
    if news and (news.time or 0) >= began then return news.trouble == "", news.trouble end
    pause(PAUSE)
  end
  return false
end

local function say_how(what, more)
  local because = os.execute and PYTHON ~= "" and "it was not there in time"
    or "this Resolve lets scripts start no programs"
  print("Attempted to start ArtifexPro's " .. what .. ". Failed because " .. because .. ". Try, in a terminal: python -m "
    .. PROGRAM .. ' --mail "' .. FOLDER .. '"' .. (more or ""))
end

local function done(order)
  local verb = verbs[order.verb]
  if not verb then return { trouble = "defect", about = "it knows no " .. tostring(order.verb) } end
  local fine, answer = pcall(verb, resolve, order.values)
  if fine then return { answer = answer } end
  if type(answer) == "table" then return answer end
  return { trouble = "defect", about = tostring(answer) }
end

local artifexpro = { verbs = verbs, encode = encode, decode = decode, list = list }
local session, number, beat, told, wished = nil, 0, nil, {}, 0

local function alive()
  if os.time() == beat then return end
  beat = os.time()
  write("hands.json", { time = beat })
end

local function tell(about, said)
  if told[about] == said then return end
  told[about] = said
  if said ~= "" then print("ArtifexPro: " .. said) end
end

local function tell_news()
  local news = read("news.json")
  if not news then return end
  for _, job in each_of(news.jobs) do tell(job.key, job.said) end
  for _, said in each_of(news.told) do tell(said, said) end
  tell("daemon", news.trouble)
end

-- One round: carry out the orders that lie there. Gives how many there were.
function artifexpro.round()
  local seen = companion()
  if not seen then return 0 end
  if seen.session ~= session then session, number = seen.session, seen.next end
  local count = 0
  while true do
    local name = session .. "-" .. number .. ".json"
    local order = read("orders/" .. name)
    if not order then break end
    write("answers/" .. name, done(order))
    number, count = number + 1, count + 1
  end
  alive()
  tell_news()
  return count
end

-- Work for so many seconds, or until the file "artifexpro.stop" lies in the folder.
function artifexpro.work(seconds)
  if not start_companion(STALE) then say_how("companion") end
  local til = seconds and os.time() + seconds
  while not til or os.time() < til do
    local stop = io.open(FOLDER .. "/artifexpro.stop", "rb")
    if stop then
      stop:close()
      if os.remove then os.remove(FOLDER .. "/artifexpro.stop") end
      return
    end
    artifexpro.round()
    pause(PAUSE)
  end
end

-- Open the panel beside Resolve. Studio lets it in; in the free edition this script does what it asks until it is closed.
function artifexpro.panel()
  local fine, product = pcall(ask, resolve, "GetProductName")
  local more = fine and tostring(product):find("Studio", 1, true) and "--studio" or nil
  local lives, trouble = start_companion(PANEL, more)
  if trouble and not lives then return print("ArtifexPro: " .. trouble) end
  if not lives then return say_how("panel", more and " " .. more) end
  while not more and not companion_ended() do
    artifexpro.round()
    pause(PAUSE)
  end
end

-- Ask for something: kind "clip", "gap", "take", "look", "cdl", "cancel" and what docs/resolve.md says of each.
function artifexpro.wish(values)
  wished = wished + 1
  local name = string.format("%d-%s-%d.json", os.time(), tostring(artifexpro):match("%x+$"), wished)
  alive()
  write("wishes/" .. name, values)
  return name
end

-- What became of a wish: a sentence, or nil while nobody has looked at it.
function artifexpro.said(name) return (read("replies/" .. name) or {}).said end
