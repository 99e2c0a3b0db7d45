#ifndef TWOFOLD_TEST_H
#define TWOFOLD_TEST_H
/* Small C tests: silent on success, one line and a non-zero exit on failure. */
#include <twofold.h>

/* The communicator a test runs on: all ranks, or with the argument -split one of two groups of them, which
   run the test at the same time. PETSC_COMM_WORLD is then none, so that whatever in the library asks for it
   fails. */
static MPI_Comm test_world = MPI_COMM_NULL, test_group = MPI_COMM_NULL;
#define TEST_COMM TestComm()

static inline MPI_Comm TestComm(void)
{
  return test_group == MPI_COMM_NULL ? PETSC_COMM_WORLD : test_group;
}

static inline PetscErrorCode TestInitialize(int *argc, char ***argv)
{
  PetscMPIInt rank, size;
  PetscBool split;

  PetscFunctionBegin;
  PetscCall(TwofoldInitialize(argc, argv, NULL, NULL));
  PetscCall(PetscOptionsHasName(NULL, NULL, "-split", &split));
  if (!split) PetscFunctionReturn(0);
  test_world = PETSC_COMM_WORLD;
  PetscCallMPI(MPI_Comm_rank(test_world, &rank));
  PetscCallMPI(MPI_Comm_size(test_world, &size));
  PetscCallMPI(MPI_Comm_split(test_world, rank < size / 2, -rank, &test_group)); /* and in another order */
  PETSC_COMM_WORLD = MPI_COMM_NULL;
  PetscFunctionReturn(0);
}

static inline PetscErrorCode TestFinalize(void)
{
  PetscFunctionBegin;
  if (test_group != MPI_COMM_NULL) {
    PETSC_COMM_WORLD = test_world;
    PetscCallMPI(MPI_Comm_free(&test_group));
  }
  PetscCall(TwofoldFinalize());
  PetscFunctionReturn(0);
}

/* Every rank must come to the same verdict, so that a failure ends the test on all of them. */
#define CHECK(ok, ...)                                                                                       \
  do {                                                                                                       \
    const int bad_ = !(ok);                                                                                  \
    int any_;                                                                                                \
    PetscCallMPI(MPI_Allreduce(&bad_, &any_, 1, MPI_INT, MPI_MAX, TEST_COMM));                               \
    if (any_) {                                                                                              \
      PetscCall(PetscPrintf(TEST_COMM, "FAILED %s:%d: ", __FILE__, __LINE__));                               \
      PetscCall(PetscPrintf(TEST_COMM, __VA_ARGS__));                                                        \
      PetscCall(PetscPrintf(TEST_COMM, "\n"));                                                               \
      SETERRQ(TEST_COMM, PETSC_ERR_PLIB, "test failed");                                                     \
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
