import App
import Foundation

exit(await App.run(CommandLine.arguments))
