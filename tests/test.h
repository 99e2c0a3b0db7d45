#ifndef TWOFOLD_TEST_H
#define TWOFOLD_TEST_H
/* Small C tests: silent on success, one line and a non-zero exit on failure. */
#include <twofold.h>

/* Every rank must come to the same verdict, so that a failure ends the test on all of them. */
#define CHECK(ok, ...)                                                                                       \
  do {                                                                                                       \
    const int bad_ = !(ok);                                                                                  \
    int any_;                                                                                                \
    PetscCallMPI(MPI_Allreduce(&bad_, &any_, 1, MPI_INT, MPI_MAX, PETSC_COMM_WORLD));                        \
    if (any_) {                                                                                              \
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, "FAILED %s:%d: ", __FILE__, __LINE__));                        \
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, __VA_ARGS__));                                                 \
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\n"));                                                        \
      SETERRQ(PETSC_COMM_WORLD, PETSC_ERR_PLIB, "test failed");                                              \
    }                                                                                                        \
  } while (0)

/* |a - b| <= tol * max(|a|, |b|), printing the numbers where not. */
#define CHECK_CLOSE(a, b, tol, what)                                                                         \
  do {                                                                                                       \
    const double a_ = (a), b_ = (b), scale_ = PetscMax(PetscAbsReal(a_), PetscAbsReal(b_));                  \
    CHECK(PetscAbsReal(a_ - b_) <= (tol)*scale_, "%s: %.17g against %.17g, relative difference %.3g", what,  \
          a_, b_, PetscAbsReal(a_ - b_) / scale_);                                                           \
  } while (0)

/* The call must raise exactly this error code; the error is swallowed. */
#define CHECK_RAISES(code, ...)                                                                              \
  do {                                                                                                       \
    PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));                                         \
    const int raised_ = (int)(__VA_ARGS__);                                                                  \
    PetscCall(PetscPopErrorHandler());                                                                       \
    CHECK(raised_ == (int)(code), "%s raised %d instead of %d", #__VA_ARGS__, raised_, (int)(code));         \
  } while (0)

/* ||a - b|| / ||b||. */
static inline PetscErrorCode RelativeDifference(Vec a, Vec b, PetscReal *difference)
{
  Vec d;
  PetscReal scale;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(a, &d));
  PetscCall(VecWAXPY(d, -1, a, b));
  PetscCall(VecNorm(d, NORM_2, difference));
  PetscCall(VecNorm(b, NORM_2, &scale));
  if (scale > 0) *difference /= scale;
  PetscCall(VecDestroy(&d));
  PetscFunctionReturn(0);
}

#endif
