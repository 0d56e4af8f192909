import CZlib

/// gzip (RFC 1952) over zlib.
package enum Gzip {
    /// The whole input as one gzip member. One-shot and without state: safe from any thread.
    ///
    /// Fails only when zlib has no memory; then there is no safe way on, and it traps with a sentence.
    package static func compress(_ bytes: [UInt8], level: Int32 = 6) -> [UInt8] {
        var stream = z_stream()
        precondition(millrace_gzip_begin(&stream, level) == Z_OK, "zlib has no memory for a stream")
        defer { deflateEnd(&stream) }
        var input = bytes
        let bound = Int(deflateBound(&stream, UInt(bytes.count)))
        return input.withUnsafeMutableBufferPointer { source in
            [UInt8](unsafeUninitializedCapacity: bound) { target, count in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                // The bound is enough for the whole, so one call ends the stream.
                let code = deflate(&stream, Z_FINISH)
                precondition(code == Z_STREAM_END, "zlib's own bound was too small")
                count = target.count - Int(stream.avail_out)
            }
        }
    }
}
