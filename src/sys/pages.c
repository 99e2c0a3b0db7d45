/* Arrays that are read and written at random: large ones lie in huge pages where the system has them, so that
   the processor finds an address without walking its page tables. */
#include <twofold/impl/sysimpl.h>
#include <stdlib.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

enum { HUGE_PAGE = 1 << 21, WORTH_IT = 1 << 18, CACHE_LINE = 64 };

PetscErrorCode TwofoldMallocPages(PetscInt64 n, PetscScalar **a)
{
  const size_t bytes = (size_t)PetscMax(n, 1) * sizeof(PetscScalar);
  const size_t unit = bytes < WORTH_IT ? CACHE_LINE : HUGE_PAGE, all = (bytes + unit - 1) / unit * unit;
  void *memory = NULL;

  PetscFunctionBegin;
  PetscCheck(posix_memalign(&memory, unit, all) == 0, PETSC_COMM_SELF, PETSC_ERR_MEM,
             "no memory for %zu bytes", all);
#if defined(MADV_HUGEPAGE)
  if (unit == HUGE_PAGE) (void)madvise(memory, all, MADV_HUGEPAGE); /* without them all works, slower */
#endif
  *a = (PetscScalar *)memory;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldFreePages(PetscScalar **a)
{
  PetscFunctionBegin;
  free(*a);
  *a = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}
