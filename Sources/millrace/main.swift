import App
import Foundation

let code = await App.run(CommandLine.arguments)
// Not exit(3): libcrypto frees its locks in an exit handler, while threads of the pool may still be on their way through
// it (OPENSSL_cleanup(3): "no other threads may be using it").
fflush(nil)
_exit(code)
