/// Waits until the descriptor is ready, first inline for a moment, then suspended.
///
/// On the waiting thread never inline: everybody else would wait with it, and there being suspended costs next to nothing.
func waitUntilReady(
    _ descriptor: Int32,
    events: Int32,
    until deadline: ContinuousClock.Instant?,
    cancellable: Bool,
    inline: inout InlineWait,
    stoppable: StoppableWait? = nil
) async -> Waiting.Outcome {
    if stoppable?.isStopped != true, !Waiting.shared.isOnThread, inline.shouldPoll() {
        let answered = EventQueue.poll(descriptor, events: events, within: InlineWait.limit)
        inline.polled(answered: answered)
        if answered { return .ready }
    }
    return await Waiting.shared.wait(
        for: descriptor,
        events: events,
        until: deadline,
        cancellable: cancellable,
        stoppable: stoppable
    )
}
