import HTTPTypes
import Hummingbird

extension ResponseBody {
    /// A body of unknown length that closes the request's connection, confirmed, before its last chunk is sent.
    func closing(_ database: RequestDatabase) -> ResponseBody {
        ResponseBody { writer in
            let ending = EndingOfBody()
            let held = Transferred<any ResponseBodyWriter>(value: HeldWriter(parent: writer, ending: ending))
            do {
                try await database.cancellable { try await self.write(held.value) }
            } catch {
                await database.finish()
                throw error
            }
            await database.finish()
            if ending.hasCome { try await writer.finish(ending.trailers) }
        }
    }
}

/// Notes that a body has been written to its end.
///
/// `@unchecked Sendable`: the body's task writes it, and it is read when that is done.
private final class EndingOfBody: @unchecked Sendable {
    var hasCome = false
    var trailers: HTTPFields?
}

/// Passes a body on, but keeps its ending back.
private struct HeldWriter: ResponseBodyWriter {
    var parent: any ResponseBodyWriter
    let ending: EndingOfBody

    @concurrent mutating func write(_ buffer: ByteBuffer) async throws {
        try await parent.write(buffer)
    }

    consuming func finish(_ trailers: HTTPFields?) async throws {
        ending.hasCome = true
        ending.trailers = trailers
    }
}
