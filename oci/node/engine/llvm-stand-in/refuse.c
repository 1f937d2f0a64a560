/* What libLLVM's functions do where nothing is ever compiled. */
#include <stdlib.h>
#include <unistd.h>

/* Any of them, from assembly with whatever arguments. */
__attribute__ ((visibility ("hidden"), noreturn, used)) void
refuse (void)
{
  static const char sentence[]
      = "this WasmEdge has no compiler: it runs modules that were compiled ahead of time, and interprets others\n";
  /* Nothing is left to do where even this fails. */
  if (write (STDERR_FILENO, sentence, sizeof sentence - 1) < 0)
    abort ();
  abort ();
}

/* llvm::deallocate_buffer(void *, size_t, size_t): called at every exit, with nothing that was ever allocated. */
void
_ZN4llvm17deallocate_bufferEPvmm (void *buffer, size_t size, size_t alignment)
{
  (void) buffer;
  (void) size;
  (void) alignment;
}
