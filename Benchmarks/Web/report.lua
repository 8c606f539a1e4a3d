-- Has wrk count what was answered, and print it as one line of JSON.
local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(arguments)
    answered, busy, unadvised, other = 0, 0, 0, 0
end

function response(status, headers, body)
    if status == 200 then
        answered = answered + 1
    elseif status == 503 then
        busy = busy + 1
        if not (headers["Retry-After"] or headers["retry-after"]) then unadvised = unadvised + 1 end
    else
        other = other + 1
    end
end

function done(summary, latency, requests)
    local sums = { answered = 0, busy = 0, unadvised = 0, other = 0 }
    for _, thread in ipairs(threads) do
        for name in pairs(sums) do sums[name] = sums[name] + thread:get(name) end
    end
    local errors = summary.errors
    io.write(string.format(
        '\n{"answered": %d, "busy": %d, "unadvised": %d, "other": %d, "socket_errors": %d, "seconds": %.2f, '
            .. '"median_ms": %.2f, "p99_ms": %.2f, "longest_ms": %.2f}\n',
        sums.answered, sums.busy, sums.unadvised, sums.other,
        errors.connect + errors.read + errors.write + errors.timeout, summary.duration / 1e6,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000
    ))
end
