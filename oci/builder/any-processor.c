// Tells WasmEdge's compiler that this processor is of the level x86-64-v3 (any since about 2013), so that the code it
// makes runs on every such processor, and is the same wherever it is made. `wasmedge compile --generic-binary` alone
// leaves out the processor's name, but asks LLVM for its extensions all the same, and uses AVX-512 where it finds it.
//
// A lower level would not do: WasmEdge 0.14.1 then refuses what it compiled itself ("number of codes not matching") and
// interprets it, probably because LLVM does not inline its calls of the host. Each pod tells on /healthz which it is.
#include <string.h>

char *LLVMGetHostCPUFeatures(void) {
  return strdup("+cx16,+sahf,+popcnt,+sse3,+ssse3,+sse4.1,+sse4.2,+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+xsave");
}
