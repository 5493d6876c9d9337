-- mpv plays what is on a device, and streams the rest: mpv jellyfin://ITEM_ID
--
-- Put it into ~/.config/mpv/scripts/, and beside mpv.conf, in script-opts/sidecar.conf:
--     url=http://127.0.0.1:8097
--     key_file=~~/sidecar.key
-- The key comes from `jellyfin-sidecar api-key create --account NAME --label mpv`. It is given to
-- curl on its standard input and to the sidecar in a header, so it shows in no list of processes.

local mp = require "mp"
local utils = require "mp.utils"

local options = { url = "http://127.0.0.1:8097", key_file = "~~/sidecar.key" }
require("mp.options").read_options(options, "sidecar")

local function key()
    local file = io.open(mp.command_native({ "expand-path", options.key_file }), "r")
    if not file then return nil end
    local line = file:read("*l")
    file:close()
    return line
end

-- Where the sidecar says that it is: { source = "local", path, url } or { source = "remote", stream_url }.
local function source_of(item, secret)
    local answer = mp.command_native({
        name = "subprocess",
        playback_only = false,
        capture_stdout = true,
        capture_stderr = true,
        args = { "curl", "--silent", "--show-error", "--fail", "--max-time", "20", "--config", "-" },
        stdin_data = string.format(
            'url = "%s/api/v1/items/%s/source"\nheader = "Authorization: Bearer %s"\n', options.url, item, secret),
    })
    if answer.status ~= 0 then return nil, answer.stderr end
    return utils.parse_json(answer.stdout)
end

mp.add_hook("on_load", 10, function()
    local item = mp.get_property("stream-open-filename"):match("^jellyfin://(%x+)/?$")
    if not item then return end
    local secret = key()
    if not secret then
        mp.msg.error("there is no key in " .. options.key_file)
        return
    end
    local found, trouble = source_of(item, secret)
    if not found then
        mp.msg.error("the sidecar does not know " .. item .. ": " .. tostring(trouble))
        return
    end
    -- The path is the sidecar's: on another machine the same file comes through its address.
    if found.path and utils.file_info(found.path) then
        mp.set_property("stream-open-filename", found.path)
    else
        mp.set_property("stream-open-filename", options.url .. (found.url or found.stream_url))
        mp.set_property("file-local-options/http-header-fields", "Authorization: Bearer " .. secret)
    end
end)
