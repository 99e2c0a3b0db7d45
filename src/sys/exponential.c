/* Exponentials and hyperbolic tangents of many numbers at a time. With GCC and the GNU C library on x86-64
   they are those of its vector library (libmvec, at most 4 ulp), as wide as the processor at hand has
   registers; elsewhere one by one. */
#include <math.h>
#include <twofold/impl/sysimpl.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__) &&                 \
    defined(PETSC_USE_REAL_DOUBLE) && !defined(__SANITIZE_ADDRESS__)
#define WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
extern double exp(double) __attribute__((simd("notinbranch"), const));
#if __GLIBC_PREREQ(2, 35) /* the first with this one */
extern double tanh(double) __attribute__((simd("notinbranch"), const));
#endif
#else
#define WIDE
#endif

WIDE void TwofoldExponentials(PetscInt n, PetscReal x[])
{
#pragma omp simd
  for (PetscInt i = 0; i < n; i++) x[i] = PetscExpReal(x[i]);
}

WIDE void TwofoldTangents(PetscInt n, PetscReal x[])
{
#pragma omp simd
  for (PetscInt i = 0; i < n; i++) x[i] = PetscTanhReal(x[i]);
}
