/* One global problem: hypergradients on the world, and on each half of it, against a recomputation on one
   rank of the same problem, which every rank makes for itself. */
#include "problem.h"

/* c = p = small: more ranks than features; else text-like, p close to n and few entries a sample */
static const Synthetic moderate = {.n = {300, 150, 50}, .p = 200, .c = 5, .density = 0.1, .seed = 1},
                       tiny = {.n = {4, 3, 2}, .p = 2, .c = 2, .density = 0.9, .seed = 2},
                       bias = {
                           .n = {40, 20, 0}, .p = 9, .c = 3, .density = 0.5, .bias = PETSC_TRUE, .seed = 3};

static const char *const methods[] = {
    "-hg_type aid -hg_ksp_type cg -hg_ksp_rtol 0 -hg_ksp_max_it 15 -lls_max_it 25 -lls_fpm_step 1",
    "-hg_type aid -hg_ksp_type richardson -hg_ksp_rtol 0 -hg_ksp_max_it 25 -hg_fpm_type heavyball "
    "-hg_fpm_step 0.8 -hg_fpm_momentum 0.4 -lls_max_it 25 -lls_fpm_type heavyball -lls_fpm_step 0.8 "
    "-lls_fpm_momentum 0.4",
    "-hg_type itd -lls_max_it 25 -lls_fpm_type heavyball -lls_fpm_step 0.8 -lls_fpm_momentum 0.4",
    "-hg_type aid -hg_ksp_type gmres -hg_ksp_rtol 1e-13 -lls_max_it 25 -lls_fpm_step 1",
};
enum { nmethods = sizeof(methods) / sizeof(methods[0]) };

/* Of other problems, where 1 need not be a step. */
static const char *const others[] = {
    "-hg_type aid -hg_ksp_type cg -hg_ksp_rtol 0 -hg_ksp_max_it 7 -lls_max_it 25 -lls_fpm_step optimal",
    "-hg_type itd -lls_max_it 25 -lls_fpm_type heavyball -lls_fpm_step optimal",
};
static const char *const others_map[] = {
    "-hg_type aid -hg_ksp_type richardson -hg_ksp_rtol 0 -hg_ksp_max_it 7 -lls_max_it 25",
    "-hg_type itd -lls_max_it 25",
};

/* f, g and w of one method, all of them on every rank of comm. */
static PetscErrorCode Compute(MPI_Comm comm, BLPType type, const Synthetic *s, const char method[],
                              PetscReal *f, PetscScalar g[], PetscScalar w[])
{
  HGConvergedReason reason;
  State x;
  Vec lambda, gradient;
  BLP blp;
  HG hg;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(comm, type, s, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &gradient));
  PetscCall(SyntheticLambda(blp, s, 7, 1, 1, lambda));
  PetscCall(HGMake(blp, NULL, method, &hg));
  PetscCall(HGSolve(hg, lambda, f, gradient));
  PetscCall(HGGetConvergedReason(hg, &reason));
  PetscCheck(reason > 0, PETSC_COMM_SELF, PETSC_ERR_PLIB, "%s: ended by %s", method,
             HGConvergedReasons[reason]);
  PetscCall(HGGetState(hg, &x));
  PetscCall(VecGather(gradient, g));
  PetscCall(VecGather(x->v[0], w));
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&gradient));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* The same on comm and on one rank. The checks run on the world: every rank is in some comm. */
static PetscErrorCode Compare(MPI_Comm comm, const Synthetic *s, const char what[])
{
  const PetscInt nw = (s->p + (s->bias ? 1 : 0)) * s->c;
  PetscReal f, f_alone;
  PetscScalar *g, *g_alone, *w, *w_alone;

  PetscFunctionBegin;
  PetscCall(PetscMalloc4(s->p, &g, s->p, &g_alone, nw, &w, nw, &w_alone));
  for (int m = 0; m < nmethods; m++) {
    PetscCall(Compute(comm, BLPSOFTMAX, s, methods[m], &f, g, w));
    PetscCall(Compute(PETSC_COMM_SELF, BLPSOFTMAX, s, methods[m], &f_alone, g_alone, w_alone));
    CHECK_CLOSE(f, f_alone, 1e-12, what);
    const PetscReal in_w = ArrayDifference(nw, w, w_alone), in_g = ArrayDifference(s->p, g, g_alone);
    CHECK(in_w <= 1e-12 && in_g <= 1e-11, "%s, seed %d, method %d: w differs by %g, g by %g", what,
          (int)s->seed, m, in_w, in_g);
  }
  PetscCall(PetscFree4(g, g_alone, w, w_alone));
  PetscFunctionReturn(0);
}

/* A problem of each other type, to what the design promises. */
static PetscErrorCode CompareOther(BLPType type)
{
  const Synthetic s = {.n = {23, 17, 0}, .p = 6, .c = 2, .density = 0.7, .seed = 4};
  PetscReal f, f_alone;
  PetscScalar *g, *g_alone, *w, *w_alone;
  PetscInt nlambda, nw;
  BLP blp;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(PETSC_COMM_SELF, type, &s, &blp));
  PetscCall(BLPGetSizes(blp, &nlambda, &nw));
  PetscCall(BLPDestroy(&blp));
  PetscCall(PetscMalloc4(nlambda, &g, nlambda, &g_alone, nw, &w, nw, &w_alone));
  for (size_t m = 0; m < sizeof(others) / sizeof(others[0]); m++) {
    const char *const method = SyntheticHasKind(type, PETSC_FALSE) ? others[m] : others_map[m];
    PetscCall(Compute(TEST_COMM, type, &s, method, &f, g, w));
    PetscCall(Compute(PETSC_COMM_SELF, type, &s, method, &f_alone, g_alone, w_alone));
    CHECK_CLOSE(f, f_alone, 1e-11, type);
    const PetscReal in_w = ArrayDifference(nw, w, w_alone), in_g = ArrayDifference(nlambda, g, g_alone);
    CHECK(in_w <= 1e-11 && in_g <= 1e-11, "%s, method %d: w differs by %g, g by %g", type, (int)m, in_w,
          in_g);
  }
  PetscCall(PetscFree4(g, g_alone, w, w_alone));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic *const problems[] = {&moderate, &tiny, &bias};
  const char **types;
  PetscInt ntypes;
  PetscMPIInt rank, size;
  MPI_Comm half;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  PetscCallMPI(MPI_Comm_split(TEST_COMM, rank < size / 2, -rank, &half)); /* and in another order */
  for (int p = 0; p < 3; p++) PetscCall(Compare(TEST_COMM, problems[p], "world"));
  for (int p = 0; p < 2; p++) { /* the halves do different things at the same time */
    const Synthetic *const s = problems[(p + (rank < size / 2)) % 2];
    PetscCall(Compare(half, s, "half"));
  }
  PetscCallMPI(MPI_Comm_free(&half));
  PetscCall(BLPGetRegistered(&ntypes, &types));
  for (PetscInt t = 0; t < ntypes; t++)
    if (strcmp(types[t], BLPSOFTMAX)) PetscCall(CompareOther(types[t]));
  PetscCall(PetscFree(types));
  PetscCall(TestFinalize());
  return 0;
}
