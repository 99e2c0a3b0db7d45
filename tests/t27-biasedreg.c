/* Problem biasedreg: the hypergradient in closed form, fixed-point AID as ITD, its constants, targets from
   files. Formulas and derivatives against a dense reference: t20-blp. */
#include "dense.h"
#include "files.h"

typedef struct {
  BLP blp;
  Dense *dense;
  Vec lambda, w, g;
  PetscReal *l;
} Case;

static PetscErrorCode CaseCreate(const Synthetic *s, Case *k)
{
  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPBIASEDREG, s, &k->blp));
  PetscCall(DenseCreate(BLPBIASEDREG, s, &k->dense));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, &k->w));
  PetscCall(VecDuplicate(k->lambda, &k->g));
  PetscCall(SyntheticLambda(k->blp, s, 1, 1, 0, k->lambda));
  PetscCall(TwofoldVecSetRandomNormal(k->w, 2));
  PetscCall(PetscMalloc1(k->dense->nlambda, &k->l));
  PetscCall(VecGather(k->lambda, k->l));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(k->l));
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->w));
  PetscCall(VecDestroy(&k->g));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* w(lambda) = H^{-1} (X^T y + beta lambda) and g = beta H^{-1} grad E(w), from the normal equations: the
   gradient of the loss at 0 is -(X^T y + beta lambda). */
static PetscErrorCode ClosedForm(const Synthetic *s)
{
  PetscReal f, difference, *H, *rhs, *w, *g1, *v, *zero;
  HG hg;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(s, &k));
  const PetscInt n = k.dense->nw;
  PetscCall(PetscCalloc6(n * n, &H, n, &rhs, n, &w, n, &g1, n, &v, n, &zero));
  DenseHessian(k.dense, k.l, zero, H);
  DenseGradient(k.dense, k.l, zero, rhs);
  for (PetscInt j = 0; j < n; j++) rhs[j] = -rhs[j];
  PetscCall(DenseSolve(n, H, rhs, w));
  DenseUpper(k.dense, w, g1);
  PetscCall(DenseSolve(n, H, g1, v));
  for (PetscInt j = 0; j < n; j++) v[j] *= SyntheticBiasedRegBeta;
  PetscCall(HGMake(k.blp, NULL,
                   "-lls_fpm_type gd -lls_fpm_step optimal -lls_max_it 5000 -lls_rtol 1e-14 -hg_type aid "
                   "-hg_ksp_type cg -hg_ksp_rtol 1e-14",
                   &hg));
  PetscCall(HGSolve(hg, k.lambda, &f, k.g));
  CHECK_CLOSE(f, DenseUpper(k.dense, w, NULL), 1e-12, "f");
  PetscCall(VecDifference(k.g, v, &difference));
  CHECK(difference <= 1e-11, "g differs by %g from the closed form", difference);
  PetscCall(HGDestroy(&hg));
  PetscCall(PetscFree6(H, rhs, w, g1, v, zero));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* Fixed-point AID of t steps and ITD of t steps are one number, since d1Phi is constant; also at the heavy
   ball, not with CG. */
static PetscErrorCode FixedPointIsITD(const char map[])
{
  const Synthetic s = {.n = {13, 11, 0}, .p = 5, .density = 0.7, .seed = 1};
  const PetscInt steps[] = {1, 2, 7, 20};
  const char *const solvers[] = {"richardson", "gmres"};
  char text[512];
  PetscReal f, difference;
  Vec expected;
  Case k;
  HG hg;

  PetscFunctionBegin;
  PetscCall(CaseCreate(&s, &k));
  PetscCall(VecDuplicate(k.g, &expected));
  for (int i = 0; i < 4; i++) {
    PetscCall(PetscSNPrintf(text, sizeof(text), "-hg_type itd %s -lls_max_it %d", map, (int)steps[i]));
    PetscCall(HGMake(k.blp, NULL, text, &hg));
    PetscCall(HGSolve(hg, k.lambda, &f, expected));
    PetscCall(HGDestroy(&hg));
    for (int m = 0; m < 2; m++) {
      PetscCall(PetscSNPrintf(
          text, sizeof(text),
          "-hg_type aid %s %s -hg_ksp_type %s -lls_max_it %d -hg_ksp_max_it %d -hg_ksp_rtol 0", map,
          strstr(map, "heavyball") ? "-hg_fpm_type heavyball -hg_fpm_step 0.3 "
                                     "-hg_fpm_momentum 0.4"
                                   : "-hg_fpm_type gd -hg_fpm_step 0.3",
          solvers[m], (int)steps[i], (int)steps[i]));
      PetscCall(HGMake(k.blp, NULL, text, &hg));
      PetscCall(HGSolve(hg, k.lambda, &f, k.g));
      PetscCall(RelativeDifference(k.g, expected, &difference));
      if (m == 0) CHECK(difference <= 1e-12, "%s: %d steps differ by %g", map, (int)steps[i], difference);
      if (m == 1 && i == 1) CHECK(difference > 1e-6, "%s: gmres is richardson", map);
      PetscCall(HGDestroy(&hg));
    }
  }
  PetscCall(VecDestroy(&expected));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* All proved; L, eta1 and L_Phi are attained, mu where there are fewer samples than features. */
static PetscErrorCode Constants(const Synthetic *s)
{
  TwofoldConstant mu, L;
  BLPLipschitz c;
  PetscReal *H, *e, norm;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(s, &k));
  const PetscInt n = k.dense->nw;
  PetscCall(PetscMalloc2(n * n, &H, n, &e));
  PetscCall(PetscArrayzero(H, n * n));
  PetscCall(BLPGetStrongConvexity(k.blp, k.lambda, &mu));
  PetscCall(BLPGetSmoothness(k.blp, k.lambda, &L));
  PetscCall(BLPGetLipschitz(k.blp, PETSC_FALSE, k.lambda, k.w, 3, &c));
  const TwofoldConstant *const all[] = {&mu, &L, &c.eta1, &c.eta2, &c.nu1, &c.nu2, &c.L_Phi};
  for (int i = 0; i < 7; i++)
    CHECK(all[i]->standing == TWOFOLD_PROVED, "constant %d: %s", i, TwofoldStandings[all[i]->standing]);
  DenseHessian(k.dense, k.l, NULL, H); /* the same everywhere */
  PetscCall(DenseEigenvalues(n, H, e));
  CHECK_CLOSE(L.value, e[n - 1], 1e-11, "L");
  CHECK(mu.value <= e[0] * (1 + 1e-12), "mu %g above %g", mu.value, e[0]);
  if (s->n[0] < n) CHECK_CLOSE(mu.value, e[0], 1e-12, "mu of few samples");
  for (PetscInt a = 0; a < n; a++) {
    for (PetscInt b = 0; b < n; b++) {
      H[a * n + b] = 0;
      for (PetscInt i = 0; i < s->n[1]; i++)
        H[a * n + b] += k.dense->X[1][i * n + a] * k.dense->X[1][i * n + b];
    }
  }
  PetscCall(DenseEigenvalues(n, H, e));
  CHECK_CLOSE(c.eta1.value, e[n - 1], 1e-11, "eta1");
  CHECK(c.eta2.value == 0 && c.nu1.value == 0 && c.nu2.value == 0, "eta2 %g, nu1 %g, nu2 %g", c.eta2.value,
        c.nu1.value, c.nu2.value);
  const PetscReal tie = s->tie == BLP_TIE_SCALAR ? PetscSqrtReal(n) : 1;
  CHECK_CLOSE(c.L_Phi.value, SyntheticBiasedRegBeta * tie, 1e-15, "L_Phi");
  PetscCall(BLPGetStrongConvexityGradient(k.blp, k.lambda, k.g));
  PetscCall(VecNorm(k.g, NORM_2, &norm));
  CHECK(norm == 0, "gradient of mu: %g", norm);
  PetscCall(BLPGetSmoothnessGradient(k.blp, k.lambda, k.g));
  PetscCall(VecNorm(k.g, NORM_2, &norm));
  CHECK(norm == 0, "gradient of L: %g", norm);
  PetscCall(PetscFree2(H, e));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ targets of files */

static PetscErrorCode FromFiles(const char more[], const char train[], const char val[], BLP *blp)
{
  char text[3 * PETSC_MAX_PATH_LEN];
  PetscOptions options;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "-blp_type biasedreg %s -blp_train %s -blp_val %s", more, train,
                          val));
  PetscCall(OptionsUse(text, &options));
  PetscCall(BLPCreate(TEST_COMM, blp));
  PetscCall(BLPSetFromOptions(*blp));
  PetscCall(OptionsDrop(&options));
  PetscFunctionReturn(0);
}

/* Targets that training does not have, in two formats; E, l and the losses of sets by hand. */
static PetscErrorCode Files(const char folder[])
{
  const char *const train[] = {"0.5 1:1\n-2 2:1\n", "a,b,y\n1,0,0.5\n0,1,-2\n"};
  const char *const val[] = {"7.25 1:1 2:0.5\n7.25 1:3\n", "a,b,y\n1,0.5,7.25\n3,0,7.25\n"};
  const PetscReal w[] = {1, -2}, lambda[] = {0, 1};
  const PetscReal E = (PetscSqr(1 - 1 - 7.25) + PetscSqr(3 - 7.25)) / 2;
  const PetscReal l = (PetscSqr(1 - 0.5) + 0) / 2 + 2 * (1 + 9.0) / 2;
  char paths[2][PETSC_MAX_PATH_LEN];
  BLPMetrics metrics;
  PetscReal value;
  Vec theta, x, g;
  BLP blp;

  PetscFunctionBegin;
  for (int i = 0; i < 2; i++) {
    PetscCall(TextWrite(folder, i ? "t.csv" : "t.svm", train[i], paths[0]));
    PetscCall(TextWrite(folder, i ? "v.csv" : "v.svm", val[i], paths[1]));
    PetscCall(FromFiles("-blp_biasedreg_beta 2", paths[0], paths[1], &blp));
    PetscCall(BLPCreateVecs(blp, &theta, &x));
    PetscCall(VecDuplicate(x, &g));
    PetscCall(VecFill(x, w));
    PetscCall(VecFill(theta, lambda));
    PetscCall(BLPUpper(blp, theta, x, &value, NULL, NULL));
    CHECK_CLOSE(value, E, 1e-15, "E of a file");
    PetscCall(BLPLossGradient(blp, theta, x, &value, g));
    CHECK_CLOSE(value, l, 1e-15, "l of a file");
    PetscCall(BLPEvaluate(blp, BLP_VAL, theta, x, &metrics));
    CHECK_CLOSE(metrics.loss, E / 2, 1e-15, "loss of a file");
    CHECK(PetscIsNanReal(metrics.accuracy) && metrics.n == 2, "accuracy %g", metrics.accuracy);
    PetscCall(VecDestroy(&theta));
    PetscCall(VecDestroy(&x));
    PetscCall(VecDestroy(&g));
    PetscCall(BLPDestroy(&blp));
  }
  PetscCall(TextWrite(folder, "n.csv", "a,b,y\n1,0.5,yes\n3,0,no\n", paths[1]));
  PetscCall(FromFiles("", paths[0], paths[1], &blp));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "n.csv are names", BLPSetUp(blp));
  PetscCall(BLPDestroy(&blp));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "-blp_biasedreg_beta 0",
             FromFiles("-blp_biasedreg_beta 0", paths[0], paths[1], &blp));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic cases[] = {
      {.n = {13, 11, 0}, .p = 5, .density = 0.7, .seed = 1},
      {.n = {4, 3, 0}, .p = 9, .density = 0.8, .seed = 3},
      {.n = {30, 20, 0}, .p = 1, .density = 1, .seed = 4},
  };
  Synthetic tied = cases[0];
  char folder[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(FolderCreate(folder));
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    PetscCall(ClosedForm(&cases[i]));
    PetscCall(Constants(&cases[i]));
  }
  tied.tie = BLP_TIE_SCALAR;
  PetscCall(Constants(&tied));
  PetscCall(FixedPointIsITD("-lls_fpm_type gd -lls_fpm_step 0.3"));
  PetscCall(FixedPointIsITD("-lls_fpm_type heavyball -lls_fpm_step 0.3 -lls_fpm_momentum 0.4"));
  PetscCall(Files(folder));
  PetscCall(FolderRemove(folder));
  PetscCall(TestFinalize());
  return 0;
}
