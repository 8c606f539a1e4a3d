/// The rows of a stretch of a file, by what became of them.
struct Chunk: Sendable {
    /// The meters, by whose place in here a reading names its meter.
    ///
    /// One may stand here twice, when the file writes it in two ways.
    var meters: [String] = []
    /// What flows through the meters, where that is known; as many as meters, or none.
    var fuels: [Fuel?] = []
    /// The number of rows of other quantities, which are left out.
    var leftOut = 0
    /// The readings, in the order of the file.
    var readings: [Reading] = []
    /// The sites, in the order of the file.
    var sites: [Site] = []
    /// The rows that cannot be imported.
    var rejected: [RejectedRow] = []
    /// The number of rows read.
    var rows = 0
    /// The place in the file behind the chunk, from which reading can go on.
    var position = FilePosition()
}
