/// The version of this build; CHANGELOG.md says what is in it.
let routerdVersion = "0.1.0"
