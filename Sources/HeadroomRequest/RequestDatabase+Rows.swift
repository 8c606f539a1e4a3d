public import Headroom
public import Hummingbird

extension RequestDatabase {
    /// Runs a statement and returns a body that writes its rows while they are read.
    ///
    /// The statement runs before anything is sent, so that a full account is still a 503 and a wrong statement a 500. Then
    /// memory stays constant however many rows there are, and the server sends no faster than the client reads: the
    /// connection is held for as long as that takes, but no longer than the middleware's `timeout`. Until then the request
    /// cannot use it otherwise. For example:
    ///
    /// ```swift
    /// let body = try await context.database.rows("SELECT id, name FROM sites", heading: "id,name\n") { row, buffer in
    ///     buffer.writeString("\(try row.decode(Int.self, at: 0)),\(try row.decode(String.self, at: 1))\n")
    /// }
    /// return Response(status: .ok, headers: [.contentType: "text/csv"], body: body)
    /// ```
    ///
    /// - Parameters:
    ///   - sql: The statement; its interpolated values are bound, never pasted.
    ///   - heading: What comes before the rows; nothing by default.
    ///   - file: The place that asks, for the list of slots.
    ///   - line: The line of that place.
    ///   - write: Appends a row to the buffer; buffers are sent when they have 32 KiB.
    /// - Returns: The body, of unknown length. If reading fails midway, the client sees a response cut short.
    /// - Throws: As ``withConnection(file:line:_:)``.
    public func rows(
        _ sql: SQL,
        heading: String = "",
        file: StaticString = #fileID,
        line: UInt = #line,
        _ write: @escaping @Sendable (Row, inout ByteBuffer) throws -> Void
    ) async throws -> ResponseBody {
        let rows = try await withConnection(file: file, line: line) { connection in
            let rows = Transferred(value: try await connection.stream(sql))
            promise()
            return rows
        }
        return ResponseBody { writer in
            try await self.takeTurn(for: .rows)
            do {
                var buffer = ByteBuffer(string: heading)
                for try await row in rows.value {
                    try write(row, &buffer)
                    if buffer.readableBytes >= Self.chunk {
                        try await writer.write(buffer)
                        buffer = ByteBuffer()
                        buffer.reserveCapacity(Self.chunk + Self.chunk / 8)
                    }
                }
                if buffer.readableBytes > 0 { try await writer.write(buffer) }
                await self.giveBack()
            } catch {
                await self.giveBack()
                throw error
            }
            try await writer.finish(nil)
        }
    }

    private static var chunk: Int { 32 * 1024 }
}
