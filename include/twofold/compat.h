#ifndef TWOFOLD_COMPAT_H
#define TWOFOLD_COMPAT_H
/**
 * @file
 * Differences between PETSc 3.18 and current, all in this one place.
 *
 * Does not compile with a PETSc older than 3.18, with complex scalars, or in another precision than double.
 */
#include <petscsys.h>

#if PETSC_VERSION_LT(3, 18, 0)
#error "Twofold needs PETSc 3.18 or newer"
#endif

#if defined(PETSC_USE_COMPLEX) || !defined(PETSC_USE_REAL_DOUBLE)
#error "Twofold needs PETSc with real scalars in double precision"
#endif

#if PETSC_VERSION_LT(3, 19, 0)
/** Code of a call that went well, which PETSc has from 3.19 on. */
#define PETSC_SUCCESS 0
#endif

#if PETSC_VERSION_LT(3, 21, 0)
/** Sets the function of a line search of type shell, by its newer name. */
#define SNESLineSearchShellSetApply SNESLineSearchShellSetUserFunc
#endif

/**
 * Makes an error code of an integer: 3.19 made PetscErrorCode an enum, integers need a cast on their way in.
 *
 * @param[in]     i       PETSC_ERR_XXX, or a code that MPI gave
 *
 * @return it, as a PetscErrorCode
 */
#define TwofoldErrorCode(i) ((PetscErrorCode)(i))

#endif
