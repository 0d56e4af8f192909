#if FUZZING
    import Foundation

    /// What libFuzzer calls; `FUZZ_TARGET` names the target.
    private let target = ProcessInfo.processInfo.environment["FUZZ_TARGET"].flatMap(FuzzTarget.init) ?? .tanma

    @_cdecl("LLVMFuzzerTestOneInput")
    public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        target.run(Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    }
#endif
