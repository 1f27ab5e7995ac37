-------------------------------------------------------------------------------- calls

local function trouble(code, about) error({ trouble = code, about = about or "" }, 0) end

local function ask(thing, method, ...)
  local member = thing[method]
  if member == nil then trouble("gone", method) end
  return member(thing, ...)
end

local function need(thing, method, ...)
  local answer = ask(thing, method, ...)
  if answer == nil then trouble("silent", method) end
  return answer
end

local function each_of(table_or_nil) return ipairs(table_or_nil or {}) end

local function project_of(resolve)
  return ask(need(resolve, "GetProjectManager"), "GetCurrentProject") or trouble("no-project")
end

local function opened(resolve, values)
  local project = project_of(resolve)
  local id = need(project, "GetUniqueId")
  if id ~= (values.project or id) then trouble("other-project", values.project_name) end
  local timeline = ask(project, "GetCurrentTimeline") or trouble("no-timeline")
  id = need(timeline, "GetUniqueId")
  if id ~= (values.timeline or id) then trouble("other-timeline", values.timeline_name) end
  return project, timeline
end

local function placed(item, track)
  return { id = need(item, "GetUniqueId"), name = need(item, "GetName"), track = track,
    start = need(item, "GetStart"), ["end"] = need(item, "GetEnd") }
end

local function everywhere(timeline)
  local found = {}
  for track = 1, need(timeline, "GetTrackCount", "video") do
    for _, item in each_of(ask(timeline, "GetItemListInTrack", "video", track)) do
      found[#found + 1] = { track, item }
    end
  end
  return found
end

local function item_of(timeline, id)
  for _, each in ipairs(everywhere(timeline)) do
    if need(each[2], "GetUniqueId") == id then return each[1], each[2] end
  end
  trouble("no-item", id)
end

local function with_media(timeline, id)
  for _, each in ipairs(everywhere(timeline)) do
    local media = ask(each[2], "GetMediaPoolItem")
    if media and ask(media, "GetUniqueId") == id then return each[1], each[2] end
  end
end

local function imported(pool, values)
  local was, root = need(pool, "GetCurrentFolder"), need(pool, "GetRootFolder")
  local ours
  for _, bin in each_of(ask(root, "GetSubFolderList")) do
    if ask(bin, "GetName") == BIN then ours = bin end
  end
  ask(pool, "SetCurrentFolder", ours or need(pool, "AddSubFolder", root, BIN))
  local wanted = values.media
  if values.frames then
    wanted = { FilePath = values.media, StartIndex = values.frames[1], EndIndex = values.frames[2] }
  end
  local clips = ask(pool, "ImportMedia", { wanted }) or {}
  ask(pool, "SetCurrentFolder", was)
  if not clips[1] then trouble("unread", values.media) end
  ask(clips[1], "SetName", values.name)
  return clips[1]
end

local function marked(item, mark) return next(ask(item, "GetMarkerByCustomData", mark) or {}) ~= nil end

local function mark(timeline, item, values, keep)
  local taken, frame = ask(item, "GetMarkers") or {}, values.first
  while taken[frame] do frame = frame + 1 end
  ask(item, "AddMarker", frame, MARKER_COLOR, values.name, values.note, 1, values.mark)
  if not marked(item, values.mark) then
    if not keep then ask(timeline, "DeleteClips", { item }, false) end
    trouble("unmarked", values.name)
  end
end

local function grade(item)
  local luts = list()
  for number = 1, need(item, "GetNumNodes") do luts[number] = ask(item, "GetLUT", number) or "" end
  return { version = tostring((ask(item, "GetCurrentVersion") or {}).versionName or ""), luts = luts }
end

local function node(item, number)
  if number < 1 or number > need(item, "GetNumNodes") then trouble("no-node", tostring(number)) end
end

local function attempt(body, undo)
  local fine, answer = pcall(body)
  if not fine then
    undo()
    error(answer, 0)
  end
  return answer
end

-------------------------------------------------------------------------------- verbs, as in verbs.py

local verbs = {}

function verbs.look(resolve)
  local told = { product = need(resolve, "GetProductName"), version = need(resolve, "GetVersionString"),
    page = ask(resolve, "GetCurrentPage") or "" }
  local project = ask(need(resolve, "GetProjectManager"), "GetCurrentProject")
  if not project then return told end
  told.project = { id = need(project, "GetUniqueId"), name = need(project, "GetName") }
  local timeline = ask(project, "GetCurrentTimeline")
  if not timeline then return told end
  local tracks = list()
  for track = 1, need(timeline, "GetTrackCount", "video") do
    local items = list()
    for _, item in each_of(ask(timeline, "GetItemListInTrack", "video", track)) do
      items[#items + 1] = placed(item, track)
    end
    tracks[track] = { items = items, locked = ask(timeline, "GetIsTrackLocked", "video", track) or false,
      enabled = ask(timeline, "GetIsTrackEnabled", "video", track) or false }
  end
  local current = ask(timeline, "GetCurrentVideoItem")
  told.timeline = { id = need(timeline, "GetUniqueId"), name = need(timeline, "GetName"),
    rate = tostring(need(timeline, "GetSetting", "timelineFrameRate")), start = need(timeline, "GetStartFrame"),
    start_timecode = need(timeline, "GetStartTimecode"), timecode = need(timeline, "GetCurrentTimecode"),
    tracks = tracks, current = current and need(current, "GetUniqueId") or nil }
  return told
end

function verbs.where(resolve)
  local project = ask(need(resolve, "GetProjectManager"), "GetCurrentProject")
  local timeline = project and ask(project, "GetCurrentTimeline")
  return { project = project and need(project, "GetUniqueId") or nil,
    timeline = timeline and need(timeline, "GetUniqueId") or nil }
end

function verbs.item(resolve, values)
  local _, timeline = opened(resolve, values)
  local track, item = item_of(timeline, values.item)
  local media, told = ask(item, "GetMediaPoolItem"), placed(item, track)
  told.source = need(item, "GetLeftOffset")
  told.media = media and tostring(need(media, "GetClipProperty", "File Path")) or ""
  told.takes, told.grade = ask(item, "GetTakesCount") or 0, grade(item)
  return told
end

function verbs.find(resolve, values)
  local _, timeline = opened(resolve, values)
  for _, each in ipairs(everywhere(timeline)) do
    if marked(each[2], values.mark) then return placed(each[2], each[1]) end
  end
  return {}
end

function verbs.insert(resolve, values)
  local project, timeline = opened(resolve, values)
  local pool = need(project, "GetMediaPool")
  local clip, track, made = imported(pool, values), values.track, nil
  return attempt(function()
    if track > need(timeline, "GetTrackCount", "video") then
      ask(timeline, "AddTrack", "video")
      track = need(timeline, "GetTrackCount", "video")
      made = track
    end
    ask(pool, "AppendToTimeline", { { mediaPoolItem = clip, startFrame = values.first, endFrame = values["end"],
      mediaType = 1, trackIndex = track, recordFrame = values.record } })
    local at, item = with_media(timeline, need(clip, "GetUniqueId"))
    if not item then trouble("dropped", string.format("track %d, frame %d", track, values.record)) end
    mark(timeline, item, values)
    ask(item, "SetClipColor", CLIP_COLOR)
    return placed(item, at)
  end, function()
    ask(pool, "DeleteClips", { clip })
    if made then ask(timeline, "DeleteTrack", "video", made) end
  end)
end

function verbs.remove(resolve, values)
  local project, timeline = opened(resolve, values)
  local _, item = item_of(timeline, values.item)
  local media = ask(item, "GetMediaPoolItem")
  ask(timeline, "DeleteClips", { item }, false)
  if media then ask(need(project, "GetMediaPool"), "DeleteClips", { media }) end
  return {}
end

function verbs.take(resolve, values)
  local project, timeline = opened(resolve, values)
  local track, item = item_of(timeline, values.item)
  local pool, before, name = need(project, "GetMediaPool"), grade(item), need(item, "GetName")
  local had, was = ask(item, "GetTakesCount") or 1, ask(item, "GetSelectedTakeIndex") or 1
  had, was = math.max(had, 1), math.max(was, 1)
  local clip = imported(pool, values)
  return attempt(function()
    if not ask(item, "AddTake", clip, values.first, values["end"]) then trouble("no-take", name) end
    local number = need(item, "GetTakesCount")
    local chosen = ask(item, "SelectTakeByIndex", number) and need(item, "GetTakeByIndex", number)
    if not chosen or need(chosen.mediaPoolItem, "GetUniqueId") ~= need(clip, "GetUniqueId") then
      trouble("no-take", name)
    end
    if encode(grade(item).luts) ~= encode(before.luts) or grade(item).version ~= before.version then
      trouble("grade-lost", name)
    end
    mark(timeline, item, values, true)
    local told = placed(item, track)
    told.take, told.takes, told.grade = need(item, "GetSelectedTakeIndex"), number, before
    return told
  end, function()
    local last = ask(item, "GetTakesCount") or 0
    if last > had then
      ask(item, "SelectTakeByIndex", was)
      ask(item, "DeleteTakeByIndex", last)
    end
    ask(pool, "DeleteClips", { clip })
  end)
end

function verbs.lut(resolve, values)
  local project, timeline = opened(resolve, values)
  local _, item = item_of(timeline, values.item)
  node(item, values.node)
  ask(project, "RefreshLUTList")
  local set = ask(item, "SetLUT", values.node, values.lut)
  if not set or ask(item, "GetLUT", values.node) ~= values.lut then trouble("no-lut", values.lut) end
  return { lut = values.lut }
end

function verbs.cdl(resolve, values)
  local _, timeline = opened(resolve, values)
  local _, item = item_of(timeline, values.item)
  node(item, values.node)
  if not ask(item, "SetCDL", { NodeIndex = tostring(values.node), Slope = values.Slope, Offset = values.Offset,
    Power = values.Power, Saturation = values.Saturation }) then
    trouble("no-cdl", table.concat({ values.Slope, values.Offset, values.Power, values.Saturation }, " / "))
  end
  return {}
end

function verbs.still(resolve, values)
  if not ask((opened(resolve, values)), "ExportCurrentFrameAsStill", values.path) then trouble("no-still") end
  return { path = values.path }
end

local function give_back(project)
  ask(project, "LoadRenderPreset", KEEPER)
  ask(project, "DeleteRenderPreset", KEEPER)
end

function verbs.render_start(resolve, values)
  local project = opened(resolve, values)
  if ask(project, "IsRenderingInProgress") then trouble("rendering") end
  for _, name in each_of(ask(project, "GetRenderPresetList")) do
    if name == KEEPER then give_back(project) end
  end
  if not ask(project, "SaveAsNewRenderPreset", KEEPER) then
    trouble("no-render", "the settings on the Deliver page could not be kept")
  end
  local job = attempt(function()
    local names, codecs = {}, ask(project, "GetRenderCodecs", "exr") or {}
    for name in pairs(codecs) do if name:find("half", 1, true) then names[#names + 1] = name end end
    table.sort(names)
    if not names[1] or not ask(project, "SetCurrentRenderFormatAndCodec", "exr", codecs[names[1]]) then
      trouble("no-render", "it writes no half float EXR")
    end
    ask(project, "SetRenderSettings", { SelectAllFrames = false, MarkIn = values.first, MarkOut = values.last,
      TargetDir = values.folder, CustomName = values.name, ExportVideo = true, ExportAudio = false })
    return ask(project, "AddRenderJob") or trouble("no-render", "it was not added to the queue")
  end, function() give_back(project) end)
  give_back(project)
  if not ask(project, "StartRendering", { job }, false) then
    ask(project, "DeleteRenderJob", job)
    trouble("no-render", "it did not start")
  end
  return { render = job }
end

function verbs.render_status(resolve, values)
  local told = ask(project_of(resolve), "GetRenderJobStatus", values.render) or {}
  return { status = told.JobStatus or "", percent = told.CompletionPercentage or 0, error = told.Error or "" }
end

function verbs.render_end(resolve, values)
  local project = project_of(resolve)
  if (ask(project, "GetRenderJobStatus", values.render) or {}).JobStatus == "Rendering" then
    ask(project, "StopRendering")
  end
  return { removed = ask(project, "DeleteRenderJob", values.render) or false }
end

function verbs.seek(resolve, values)
  local _, timeline = opened(resolve, values)
  ask(timeline, "SetCurrentTimecode", values.timecode)
  return { timecode = need(timeline, "GetCurrentTimecode") }
end
